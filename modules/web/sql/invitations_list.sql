-- A page of an organization's invitations.
-- $1 organization, $2 limit, $3 email,
-- $4 sort value and $5 id of the last row before
-- @sort email i.email text
-- @sort inserted_at i.inserted_at timestamptz
-- @sort expires_at i.expires_at timestamptz
select @{invitation}
  from open.invitations i
 where i.organization_id = $1::uuid
   and ($3::text is null or i.email = lower($3))
   and (@key, i.id) @op ($4::@type, $5::uuid) @after
 order by @key @dir, i.id @dir
 limit $2::bigint
