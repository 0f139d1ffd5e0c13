-- Whether a reset token could be used now.
-- $1 SHA-256 of the token
-- columns: usable
select open.password_reset_usable($1::bytea)
