-- $1 name, $2 slug, $3 settings and quotas
insert into open.organizations (name, slug, settings, compute_quota, storage_quota)
values ($1, $2, $3::jsonb - 'compute_quota' - 'storage_quota', ($3::jsonb ->> 'compute_quota')::integer,
        ($3::jsonb ->> 'storage_quota')::integer)
returning id
