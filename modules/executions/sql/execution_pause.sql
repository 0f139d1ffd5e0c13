-- Pauses an execution or lets it go on; whoever started it, the DAG's creator and admins may. One whose cancellation was
-- asked for is not paused.
-- $1 organization, $2 execution, $3 user, $4 whether the user is an admin, $5 whether it shall pause
-- columns: whether it was allowed, the status, whether its cancellation was asked for, told
with target as (
	select e.id, e.status, e.cancel_requested_at is not null as cancelled,
	       $4::boolean or coalesce(e.triggered_by = $3::uuid, false) or coalesce(d.created_by = $3, false) as allowed
	  from open.executions e
	  join open.dags d on d.id = e.dag_id
	 where e.organization_id = $1::uuid
	   and e.id = $2::uuid
	   for update of e
), changed as (
	update open.executions e
	   set paused_at = case when $5::boolean then coalesce(e.paused_at, now()) end
	  from target
	 where e.id = target.id
	   and target.allowed
	   and target.status in ('pending', 'running')
	   and not e.finished
	   and not (target.cancelled and $5)
	returning e.id
)
select target.allowed, target.status, target.cancelled,
       (select pg_notify('open_control', c.id::text) from changed c)
  from target
