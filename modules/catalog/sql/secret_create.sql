-- Creates a secret.
-- $1 organization, $2 id, $3 name, $4 ciphertext, $5 key id, $6 user
insert into open.secrets (id, organization_id, name, ciphertext, key_id, created_by)
values ($2::uuid, $1::uuid, $3, $4::bytea, $5, $6::uuid)
