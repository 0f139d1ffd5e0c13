-- What organizations may use.
-- $1 uuid[] of organizations
-- columns: id, settings, quotas used up (1 compute, 2 storage)
select o.id, o.settings, open.quota_exceeded(o.id)
  from open.organizations o
 where o.id = any($1::uuid[])
