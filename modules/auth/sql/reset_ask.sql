-- Somebody asks for a new password.
-- $1 address
-- columns: nothing
select open.password_reset_ask($1::text)
