-- $1 id
update open.sessions
   set revoked_at = coalesce(revoked_at, now())
 where id = $1::uuid
returning id
