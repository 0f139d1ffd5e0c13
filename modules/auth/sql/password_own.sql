-- The actor's stored password.
select open.own_password()
