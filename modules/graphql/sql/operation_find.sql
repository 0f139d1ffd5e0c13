-- The document of a registered operation.
-- $1 organization, $2 SHA-256
select o.document
  from open.graphql_operations o
 where o.organization_id = $1::uuid
   and o.sha256 = $2
