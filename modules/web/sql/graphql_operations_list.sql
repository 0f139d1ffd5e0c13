-- A page of an organization's registered operations.
-- $1 organization, $2 limit, $3 document wanted, $4 SHA-256, $5 name,
-- $6 sort value and $7 id of the last row before
-- @sort name o.name text
-- @sort inserted_at o.inserted_at timestamptz
select @{graphql_operation}
  from open.graphql_operations o
 where o.organization_id = $1::uuid
   and ($4::text is null or o.sha256 = $4)
   and ($5::text is null or o.name = $5)
   and (@key, o.id) @op ($6::@type, $7::uuid) @after
 order by @key @dir, o.id @dir
 limit $2::bigint
