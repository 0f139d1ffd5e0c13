-- A new user, or a mail to the one there is.
-- $1 email, $2 name
select open.register($1, $2)::text
