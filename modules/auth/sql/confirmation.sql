-- Whom a token confirms.
-- $1 SHA-256 of the token
select c.user_id from open.confirmation_of($1::bytea) c
