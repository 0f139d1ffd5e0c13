-- Asks for an execution's cancellation, which also ends its pause; whoever started it, the DAG's creator and admins
-- may.
-- $1 organization, $2 execution, $3 user, $4 whether the user is an admin
-- columns: whether it was allowed, the status before, told
with target as (
	select e.id, e.status,
	       $4::boolean or coalesce(e.triggered_by = $3::uuid, false) or coalesce(d.created_by = $3, false) as allowed
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
