-- Registered operations by their ids.
-- $1 organization, $2 uuid[] of ids, $3 document wanted
select @{graphql_operation}
  from open.graphql_operations o
 where o.organization_id = $1::uuid
   and o.id = any($2::uuid[])
