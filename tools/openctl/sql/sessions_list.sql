-- $1 organization, $2 email of a user or null
select s.id, u.email as user, host(s.address) as address, s.user_agent,
       to_char(s.inserted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as inserted_at,
       to_char(s.last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_used_at,
       to_char(s.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires_at
  from open.sessions s
  join open.users u on u.id = s.user_id
 where s.organization_id = $1::uuid
   and ($2::text is null or u.email = lower($2))
   and s.revoked_at is null
   and s.expires_at > now()
 order by s.id
