-- Replaces the value of a secret, if it is still called so.
-- $1 organization, $2 secret, $3 name, $4 ciphertext, $5 key id
-- columns: id
update open.secrets s
   set ciphertext = $4::bytea, key_id = $5, updated_at = now()
 where s.organization_id = $1::uuid
   and s.id = $2::uuid
   and s.name = $3
returning s.id
