-- Removes a registered operation.
-- $1 organization, $2 operation
-- columns: id
delete from open.graphql_operations o
 where o.organization_id = $1::uuid
   and o.id = $2::uuid
returning o.id
