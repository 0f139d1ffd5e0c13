-- A version with its DAG's name, for export: by its own id, or the newest of
-- a DAG.
-- $1 organization, $2 version or null, $3 DAG or null
-- columns: name, description, definition
select d.name, d.description, v.definition
  from open.dags d
  join open.dag_versions v on v.dag_id = d.id
 where d.organization_id = $1::uuid
   and d.deleted_at is null
   and ($2::uuid is null or v.id = $2)
   and ($3::uuid is null or (d.id = $3 and v.number = d.version))
   and num_nonnulls($2, $3) = 1
