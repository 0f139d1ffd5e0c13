-- What a token invites to.
-- $1 SHA-256 of the token
-- columns: whether the address has an account
select i.registered from open.invitation_of($1::bytea) i
