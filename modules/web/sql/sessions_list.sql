-- A page of the sessions of whoever asks.
-- $1 organization, $2 limit,
-- $3 sort value and $4 id of the last row before
-- @sort inserted_at s.inserted_at timestamptz
-- @sort last_used_at s.last_used_at timestamptz
select @{session}
  from open.sessions s
 where s.organization_id = $1::uuid
   and s.user_id = (select open.actor_user())
   and s.revoked_at is null
   and s.expires_at > now()
   and (@key, s.id) @op ($3::@type, $4::uuid) @after
 order by @key @dir, s.id @dir
 limit $2::bigint
