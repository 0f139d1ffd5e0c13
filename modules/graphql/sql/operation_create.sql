-- Registers an operation, unless there are 10,000.
-- $1 organization, $2 id, $3 name, $4 document, $5 user
-- columns: id
insert into open.graphql_operations (id, organization_id, sha256, name, document, created_by)
select $2::uuid, $1::uuid, encode(sha256(convert_to($4, 'UTF8')), 'hex'), $3, $4, $5::uuid
 where (select count(*) from open.graphql_operations o where o.organization_id = $1::uuid) < 10000
returning id
