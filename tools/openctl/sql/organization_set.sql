-- $1 slug, $2 settings and quotas to change
update open.organizations
   set settings = settings || ($2::jsonb - 'compute_quota' - 'storage_quota'),
       compute_quota = case when $2::jsonb ? 'compute_quota' then ($2::jsonb ->> 'compute_quota')::integer else compute_quota end,
       storage_quota = case when $2::jsonb ? 'storage_quota' then ($2::jsonb ->> 'storage_quota')::integer else storage_quota end,
       updated_at = now()
 where slug = $1
returning id, slug, name, settings
