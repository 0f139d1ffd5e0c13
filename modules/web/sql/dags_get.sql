-- DAGs by their ids.
-- $1 organization, $2 uuid[] of ids, $3 … long fields
select @{dag}
  from open.dags d
 where d.organization_id = $1::uuid
   and d.id = any($2::uuid[])
   and d.deleted_at is null
