-- $1 organization
select t.id, u.email as user, t.name, t.inserted_at, t.expires_at,
       case when t.revoked_at is not null then 'revoked'
            when t.expires_at <= now() then 'expired'
            else 'good' end as state
  from open.api_tokens t
  join open.users u on u.id = t.user_id
 where t.organization_id = $1::uuid
 order by t.id
