-- Changes a DAG whose newest version is still the one that was seen; a
-- definition makes the next version. No row: it was changed meanwhile.
-- $1 organization, $2 DAG, $3 number seen, $4 name or null,
-- $5 description or null, $6 user, $7 definition or null, $8 its SHA-256,
-- $9 text[] of node names
with dag as (
	update open.dags d
	   set name = coalesce($4::text, d.name),
	       description = coalesce($5::text, d.description),
	       version = d.version + ($7::jsonb is not null)::integer,
	       updated_at = now()
	 where d.organization_id = $1::uuid
	   and d.id = $2::uuid
	   and d.version = $3::integer
	   and d.deleted_at is null
	   and open.actor_may(d.created_by)
	returning d.id, d.version
), version as (
	insert into open.dag_versions (organization_id, dag_id, number, definition, definition_hash, node_names, created_by)
	select $1, dag.id, dag.version, $7, $8::bytea, $9::text[], $6::uuid
	  from dag
	 where $7 is not null
)
select dag.id from dag
