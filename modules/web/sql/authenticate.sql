-- Who holds a token; no row: nobody, or not any more.
-- $1 SHA-256 of the token
-- columns: credential, organization, user, admin, settings, how long it is still good (microseconds, 0: for ever), how
-- long ago its use was noted (microseconds, -1: never), session, scopes (enum credential_scope, 0: all), quotas used up
select a.credential_id, a.organization_id, a.user_id, a.role = 'admin', a.settings,
       case when a.expires_at is null then 0 else greatest(extract(epoch from a.expires_at - now()) * 1000000, 1)::bigint end,
       case when a.last_used_at is null then -1 else greatest(extract(epoch from now() - a.last_used_at) * 1000000, 0)::bigint end,
       a.is_session,
       coalesce(('read' = any (a.scopes))::integer + 2 * ('execute' = any (a.scopes))::integer
           + 4 * ('write' = any (a.scopes))::integer + 8 * ('admin' = any (a.scopes))::integer, 0),
       open.quota_exceeded(a.organization_id)
  from open.authenticate($1::bytea) a
