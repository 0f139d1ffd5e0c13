-- $1 id or null, $2 SHA-256 of the token or null
update open.api_tokens
   set revoked_at = coalesce(revoked_at, now())
 where id = $1::uuid or token_hash = $2
returning id
