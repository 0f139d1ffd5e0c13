-- The name of a secret, with which a new value is encrypted.
-- $1 organization, $2 secret
-- columns: name
select s.name from open.secrets s where s.organization_id = $1::uuid and s.id = $2::uuid
