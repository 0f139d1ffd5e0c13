-- Takes an invitation back.
-- $1 organization, $2 invitation
delete from open.invitations i
 where i.organization_id = $1::uuid and i.id = $2::uuid
returning i.id
