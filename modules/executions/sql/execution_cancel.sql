-- Asks for an execution's cancellation, which also ends its pause; whoever started it, the DAG's creator and admins
-- may.
-- $1 organization, $2 execution
-- columns: whether it was allowed, the status before, told
with target as (
	select e.id, e.status,
	       open.actor_may(d.created_by, e.triggered_by) as allowed
	  from open.executions e
	  join open.dags d on d.id = e.dag_id
	 where e.organization_id = $1::uuid
	   and e.id = $2::uuid
	   for update of e
), changed as (
	update open.executions e
	   set cancel_requested_at = coalesce(e.cancel_requested_at, now()),
	       paused_at = null
	  from target
	 where e.id = target.id
	   and target.allowed
	   and target.status in ('pending', 'running')
	   and not e.finished
	returning e.id
)
select target.allowed, target.status, (select pg_notify('open_control', c.id::text) from changed c) from target
