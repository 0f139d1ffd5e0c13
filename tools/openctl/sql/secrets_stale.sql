-- A page of secrets that another key than $1 encrypted, after the id $2.
select id, organization_id, name, ciphertext, key_id from open.secrets
 where key_id <> $1 and id > $2::uuid order by id limit 100
