-- Executions by their ids.
-- $1 organization, $2 uuid[] of ids, $3 … long fields
select @{execution}
  from open.executions e
 where e.organization_id = $1::uuid
   and e.id = any($2::uuid[])
