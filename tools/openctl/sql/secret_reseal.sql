-- The same value under another key, unless it was changed meanwhile: updated_at stays.
-- $1 id, $2 ciphertext before, $3 ciphertext, $4 key id
update open.secrets set ciphertext = $3::bytea, key_id = $4
 where id = $1::uuid and ciphertext = $2::bytea returning id
