-- No row: there is none. $1 execution, $2 whether it shall pause
-- columns: whether it was changed, the status, whether its cancellation was asked for
with changed as (
	update open.executions e
	   set paused_at = case when $2::boolean then coalesce(e.paused_at, now()) end
	 where e.id = $1::uuid and not e.finished and not ($2 and e.cancel_requested_at is not null)
	returning e.id
)
select exists (select from changed), e.status, e.cancel_requested_at is not null,
       (select pg_notify('open_control', c.id::text) from changed c)
  from open.executions e
 where e.id = $1::uuid
