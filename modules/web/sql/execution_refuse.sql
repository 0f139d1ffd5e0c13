-- Ends an execution that can't be run, and counts it as the journal does; its parent hears of it.
-- $1 id uuid, $2 error, $3 this server, $4 its epoch
with ended as (
	update open.executions e
	   set finished = true, status = 'failed', started_at = coalesce(e.started_at, now()), completed_at = now(),
	       error_message = $2::text
	 where e.id = $1::uuid and not e.finished
	   and (select open.fence($3::uuid, $4::bigint))
	returning e.parent_id, e.organization_id, e.dag_id, e.status, e.started_at, e.completed_at, e.total_nodes, e.failed_nodes
), counted as (
	insert into open.execution_statistics as t (subject_id, shard, organization_id, executions, succeeded, failed, cancelled,
	                                            duration_us, nodes, failed_nodes, last_ended_at)
	select coalesce(m.dag_id, m.organization_id), open.statistics_shard(), m.organization_id, count(*),
	       count(*) filter (where m.status = 'success'), count(*) filter (where m.status = 'failed'),
	       count(*) filter (where m.status = 'cancelled'),
	       coalesce(sum(greatest(extract(epoch from m.completed_at - m.started_at), 0)) * 1000000, 0)::bigint, sum(m.total_nodes), sum(m.failed_nodes),
	       max(m.completed_at)
	  from ended m
	 where m.completed_at is not null
	 group by grouping sets ((m.organization_id, m.dag_id), (m.organization_id))
	 order by 1
	on conflict (subject_id, shard) do update
	   set executions = t.executions + excluded.executions, succeeded = t.succeeded + excluded.succeeded,
	       failed = t.failed + excluded.failed, cancelled = t.cancelled + excluded.cancelled,
	       duration_us = t.duration_us + excluded.duration_us, nodes = t.nodes + excluded.nodes,
	       failed_nodes = t.failed_nodes + excluded.failed_nodes,
	       last_ended_at = greatest(t.last_ended_at, excluded.last_ended_at)
)
select pg_notify('open_mail', n.parent_id::text) from ended n where n.parent_id is not null
