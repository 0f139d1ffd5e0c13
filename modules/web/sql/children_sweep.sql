-- What crashes leave behind: children whose parent has ended, or whose node is at a later attempt, are cancelled; waits of
-- executions that have ended are forgotten.
-- $1 whether to look at waits, too
-- columns: the children
with left_behind as (
	update open.executions e
	   set cancel_requested_at = now(), paused_at = null
	  from open.child_executions k
	 where k.child_id = e.id
	   and e.parent_id is not null
	   and not e.finished
	   and e.cancel_requested_at is null
	   and (not exists (select from open.executions p where p.id = k.parent_id and not p.finished)
	        or exists (select from open.child_executions l
	                    where l.parent_id = k.parent_id and l.node = k.node and l.element = k.element
	                      and l.attempt > k.attempt))
	returning e.id
), forgotten as (
	delete from open.waits w
	 where $1::boolean
	   and not exists (select from open.executions x
	                    where x.id = w.execution_id and not x.finished)
)
select b.id, pg_notify('open_control', b.id::text) from left_behind b
