-- $1 organization, $2 name, $3 ciphertext, $4 key id
insert into open.secrets (organization_id, name, ciphertext, key_id) values ($1::uuid, $2, $3::bytea, $4)
on conflict (organization_id, name) do update
   set ciphertext = excluded.ciphertext, key_id = excluded.key_id, updated_at = now()
returning id, xmax = 0 as created
