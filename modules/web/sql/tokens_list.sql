-- A page of API tokens: of whoever asks; admins see all of the organization's.
-- $1 organization, $2 limit, $3 with the value, $4 user,
-- $5 sort value and $6 id of the last row before
-- @sort name t.name text
-- @sort inserted_at t.inserted_at timestamptz
select @{token}
  from open.api_tokens t
 where t.organization_id = $1::uuid
   and t.revoked_at is null
   and (t.user_id = (select open.actor_user()) or (select open.actor_is_admin()))
   and ($4::uuid is null or t.user_id = $4::uuid)
   and (@key, t.id) @op ($5::@type, $6::uuid) @after
 order by @key @dir, t.id @dir
 limit $2::bigint
