-- $1 slug
select o.slug,
       round(u.cpu_us / 1000000.0, 3) as compute_seconds,
       o.compute_quota as compute_quota_hours,
       u.bytes as storage_bytes,
       o.storage_quota as storage_quota_gb,
       u.executions as executions_this_month,
       u.total_executions,
       o.settings -> 'max_executions' as max_executions,
       o.settings -> 'max_nodes' as max_nodes,
       o.settings -> 'pools' as pools,
       case open.quota_exceeded(o.id) when 0 then 'no' when 1 then 'compute' when 2 then 'storage' else 'both' end as exceeded
  from open.organizations o
  join open.organization_usage u on u.organization_id = o.id
 where o.slug = $1
