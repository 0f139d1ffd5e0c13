-- Deletes a secret.
-- $1 organization, $2 secret
-- columns: id
delete from open.secrets s
 where s.organization_id = $1::uuid
   and s.id = $2::uuid
returning s.id
