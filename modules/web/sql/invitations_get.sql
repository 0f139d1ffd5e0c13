-- Invitations by their ids.
-- $1 organization, $2 uuid[] of ids
select @{invitation}
  from open.invitations i
 where i.organization_id = $1::uuid
   and i.id = any($2::uuid[])
