-- A page of an organization's secrets.
-- $1 organization, $2 limit, $3 name,
-- $4 sort value and $5 id of the last row before
-- @sort name s.name text
-- @sort inserted_at s.inserted_at timestamptz
-- @sort updated_at s.updated_at timestamptz
select @{secret}
  from open.secrets s
 where s.organization_id = $1::uuid
   and ($3::text is null or s.name = $3)
   and (@key, s.id) @op ($4::@type, $5::uuid) @after
 order by @key @dir, s.id @dir
 limit $2::bigint
