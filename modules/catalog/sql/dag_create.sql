-- A new DAG and its first version.
-- $1 organization, $2 id, $3 name, $4 description, $5 user,
-- $6 definition (canonical JSON), $7 its SHA-256, $8 text[] of node names
with dag as (
	insert into open.dags (id, organization_id, name, description, created_by)
	values ($2::uuid, $1::uuid, $3::text, $4::text, $5::uuid)
	returning id
)
insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names, created_by)
select $1, dag.id, 1, $6::jsonb, $7::bytea, $8::text[], $5
  from dag
