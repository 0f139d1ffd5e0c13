-- Changes an organization; settings that are null go.
-- $1 organization, $2 name or null, $3 settings or null, $4 compute quota is given, $5 and its value, $6 storage quota is given, $7 and its value
update open.organizations o
   set name = coalesce($2, o.name),
       settings = jsonb_strip_nulls(o.settings || coalesce($3::jsonb, '{}')),
       compute_quota = case when $4::boolean then $5::integer else o.compute_quota end,
       storage_quota = case when $6::boolean then $7::integer else o.storage_quota end,
       updated_at = now()
 where o.id = $1::uuid
returning o.id
