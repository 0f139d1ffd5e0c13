-- Changes a membership.
-- $1 organization, $2 user, $3 role or null, $4 active or null
update open.memberships m
   set role = coalesce($3, m.role),
       deactivated_at = case when $4::boolean is null then m.deactivated_at when $4 then null else coalesce(m.deactivated_at, now()) end
 where m.organization_id = $1::uuid and m.user_id = $2::uuid
returning m.user_id
