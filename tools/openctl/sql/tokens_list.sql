-- $1 organization
select t.id, u.email as user, t.name, array_to_string(t.scopes, ',') as scopes, t.prefix,
       to_char(t.inserted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as inserted_at,
       to_char(t.last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last_used_at,
       to_char(t.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires_at,
       case when t.revoked_at is not null then 'revoked'
            when t.expires_at <= now() then 'expired'
            else 'good' end as state
  from open.api_tokens t
  join open.users u on u.id = t.user_id
 where t.organization_id = $1::uuid
 order by t.id
