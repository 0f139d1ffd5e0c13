-- $1 slug
select o.id, o.slug, o.name, open.retention_days(o.settings) as retention_days,
       (select count(*) from open.executions_unfinished e where e.organization_id = o.id) as unfinished,
       (t.s ->> 'total_executions')::bigint as ended, (t.s ->> 'succeeded_executions')::bigint as succeeded,
       (t.s ->> 'failed_executions')::bigint as failed, (t.s ->> 'cancelled_executions')::bigint as cancelled,
       t.s ->> 'success_rate' as success_rate, t.s ->> 'avg_duration_ms' as avg_duration_ms
  from open.organizations o
 cross join lateral (select open.statistics_of(o.id) as s) t
 where o.slug = $1
