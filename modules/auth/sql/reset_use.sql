-- Uses a reset token.
-- $1 SHA-256 of the token, $2 the new password as it is stored
-- columns: whether it could be used
select open.password_reset($1::bytea, $2::text)
