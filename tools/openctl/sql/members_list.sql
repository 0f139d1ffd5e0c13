-- $1 organization, $2 email of one of them or null
select u.id, u.email, u.name, m.role, to_jsonb(m.deactivated_at is null and u.deactivated_at is null) as active,
       to_jsonb(u.confirmed_at is not null) as confirmed,
       to_char(u.last_sign_in at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_sign_in
  from open.memberships m
  join open.users u on u.id = m.user_id
 where m.organization_id = $1::uuid
   and ($2::text is null or u.email = lower($2))
 order by u.email
