-- $1 organization, $2 email
select u.id
  from open.users u
  join open.memberships m on m.user_id = u.id
 where m.organization_id = $1::uuid and u.email = lower($2)
