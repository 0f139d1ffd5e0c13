-- The next version of a DAG that is locked or new.
-- $1 DAG, $2 number, $3 definition, $4 its SHA-256, $5 node names, $6 creator or null
with saved as (
	update open.dags set version = $2::integer, updated_at = now() where id = $1::uuid returning organization_id
)
insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names, created_by)
select s.organization_id, $1::uuid, $2::integer, $3::jsonb, $4, $5::text[], $6::uuid from saved s
returning id
