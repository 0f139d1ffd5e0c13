-- Confirms an address; null: not any more.
-- $1 SHA-256 of the token, $2 stored password, $3 name and $4 slug of an organization to make, or null
select open.confirm($1::bytea, $2, $3, $4)
