-- Pauses an execution or lets it go on, and with it all that its nodes started; whoever started it, the DAG's creator
-- and admins may. One whose cancellation was asked for is not paused.
-- $1 organization, $2 execution, $3 whether it shall pause
-- columns: whether it was allowed, the status, whether its cancellation was asked for, told
with recursive target as (
	select e.id, e.status, e.cancel_requested_at is not null as cancelled,
	       open.actor_may(d.created_by, e.triggered_by) as allowed
	  from open.executions e
	  join open.dags d on d.id = e.dag_id
	 where e.organization_id = $1::uuid
	   and e.id = $2::uuid
	   for update of e
), family (id) as (
	select t.id::uuid
	  from target t
	 where t.allowed
	   and t.status in ('pending', 'running')
	   and not (t.cancelled and $3)
	 union
	select k.child_id
	  from family f
	  join open.child_executions k on k.parent_id = f.id
), changed as (
	update open.executions e
	   set paused_at = case when $3::boolean then coalesce(e.paused_at, now()) end
	  from family
	 where e.id = family.id
	   and not e.finished
	   and not ($3 and e.cancel_requested_at is not null)
	returning e.id
)
select target.allowed, target.status, target.cancelled,
       (select count(pg_notify('open_control', c.id::text)) from changed c)
  from target
