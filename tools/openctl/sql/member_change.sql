-- Changes a membership; no row: there is none.
-- $1 organization, $2 email, $3 role or null, $4 active or null
update open.memberships m
   set role = coalesce($3, m.role),
       deactivated_at = case when $4::boolean is null then m.deactivated_at when $4 then null else coalesce(m.deactivated_at, now()) end
  from open.users u
 where u.id = m.user_id
   and m.organization_id = $1::uuid
   and u.email = lower($2)
returning m.user_id
