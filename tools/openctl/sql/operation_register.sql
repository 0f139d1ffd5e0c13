-- $1 organization, $2 name, $3 document
with hash as (select encode(sha256(convert_to($3, 'UTF8')), 'hex') as sha256), made as (
insert into open.graphql_operations (organization_id, sha256, name, document)
select $1::uuid, hash.sha256, $2, $3 from hash
on conflict (organization_id, sha256) do nothing)
select hash.sha256 from hash
