-- Sessions of whoever asks, by their ids.
-- $1 organization, $2 uuid[] of ids
select @{session}
  from open.sessions s
 where s.organization_id = $1::uuid
   and s.id = any($2::uuid[])
   and s.user_id = (select open.actor_user())
   and s.revoked_at is null
   and s.expires_at > now()
