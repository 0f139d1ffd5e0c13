-- Ends one server whose lease is over.
-- $1 this server
-- columns: which, null: none
select open.server_expire($1::uuid)
