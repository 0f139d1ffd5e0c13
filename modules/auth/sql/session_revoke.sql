-- Ends one of the sessions of whoever asks.
-- $1 organization, $2 session
-- columns: id
update open.sessions s
   set revoked_at = now()
 where s.organization_id = $1::uuid
   and s.id = $2::uuid
   and s.user_id = (select open.actor_user())
   and s.revoked_at is null
returning s.id
