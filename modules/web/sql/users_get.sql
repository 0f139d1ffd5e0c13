-- Members of an organization by their ids.
-- $1 organization, $2 uuid[] of ids
select @{user}
  from open.users u
  join open.memberships m on m.user_id = u.id
 where m.organization_id = $1::uuid
   and u.id = any($2::uuid[])
