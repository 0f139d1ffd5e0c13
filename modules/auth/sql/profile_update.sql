-- Changes one's own account.
-- $1 organization, $2 user, $3 name
update open.users u
   set name = $3, updated_at = now()
  from open.memberships m
 where m.organization_id = $1::uuid and m.user_id = u.id and u.id = $2::uuid
returning u.id
