-- Pauses an execution or lets it go on, and with it all that its nodes started. No row: there is none.
-- $1 execution, $2 whether it shall pause
-- columns: whether it was changed, the status, whether its cancellation was asked for
with recursive family (id) as (
	select e.id::uuid
	  from open.executions e
	 where e.id = $1::uuid
	   and not e.finished
	   and not ($2 and e.cancel_requested_at is not null)
	 union
	select k.child_id
	  from family f
	  join open.child_executions k on k.parent_id = f.id
), changed as (
	update open.executions e
	   set paused_at = case when $2::boolean then coalesce(e.paused_at, now()) end
	  from family
	 where e.id = family.id
	   and not e.finished
	   and not ($2 and e.cancel_requested_at is not null)
	returning e.id
)
select exists (select from changed c where c.id = e.id), e.status, e.cancel_requested_at is not null,
       (select count(pg_notify('open_control', c.id::text)) from changed c)
  from open.executions e
 where e.id = $1::uuid
