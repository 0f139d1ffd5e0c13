-- Counts those of the executions `changed` that have ended, for their DAGs and their organizations; in the order of
-- their subjects, in which everybody locks them.
-- @text
insert into open.execution_statistics as t (subject_id, shard, organization_id, executions, succeeded, failed, cancelled,
                                            duration_us, nodes, failed_nodes, last_ended_at)
select coalesce(m.dag_id, m.organization_id), open.statistics_shard(), m.organization_id, count(*),
       count(*) filter (where m.status = 'success'), count(*) filter (where m.status = 'failed'),
       count(*) filter (where m.status = 'cancelled'),
       coalesce(sum(greatest(extract(epoch from m.completed_at - m.started_at), 0)) * 1000000, 0)::bigint, sum(m.total_nodes), sum(m.failed_nodes),
       max(m.completed_at)
  from changed m
 where m.completed_at is not null
 group by grouping sets ((m.organization_id, m.dag_id), (m.organization_id))
 order by 1
on conflict (subject_id, shard) do update
   set executions = t.executions + excluded.executions, succeeded = t.succeeded + excluded.succeeded,
       failed = t.failed + excluded.failed, cancelled = t.cancelled + excluded.cancelled,
       duration_us = t.duration_us + excluded.duration_us, nodes = t.nodes + excluded.nodes,
       failed_nodes = t.failed_nodes + excluded.failed_nodes,
       last_ended_at = greatest(t.last_ended_at, excluded.last_ended_at)
