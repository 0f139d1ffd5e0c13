-- Who holds a token; no row: nobody, or not any more.
-- $1 SHA-256 of the token
-- columns: token, organization, user, admin, settings, expires (microseconds since 1970, 0: never), quotas used up
select a.token_id, a.organization_id, a.user_id, a.role = 'admin',
       a.settings, coalesce((extract(epoch from a.expires_at) * 1000000)::bigint, 0),
       open.quota_exceeded(a.organization_id)
  from open.authenticate($1::bytea) a
