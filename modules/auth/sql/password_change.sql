-- Stores the actor's new password and ends his other sessions; false: it was changed meanwhile.
-- $1 stored until now, $2 stored from now on
select open.password_change($1, $2)
