-- Ends one session.
-- $1 organization, $2 session
update open.sessions s
   set revoked_at = now()
 where s.organization_id = $1::uuid and s.id = $2::uuid and s.revoked_at is null
returning s.id
