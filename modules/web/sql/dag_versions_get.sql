-- Versions by their ids.
-- $1 organization, $2 uuid[] of ids, $3 … long fields
select @{dag_version}
  from open.dag_versions v
  join open.dags d on d.id = v.dag_id
 where v.organization_id = $1::uuid
   and v.id = any($2::uuid[])
   and d.deleted_at is null
