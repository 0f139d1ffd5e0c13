-- Accepts an invitation; no row: it can't be accepted any more.
-- $1 SHA-256 of the token, $2 name or null, $3 stored password or null
select a.user_id from open.invitation_accept($1::bytea, $2, $3) a
