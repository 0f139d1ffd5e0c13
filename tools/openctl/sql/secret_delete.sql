-- $1 organization, $2 name
delete from open.secrets where organization_id = $1::uuid and name = $2 returning id
