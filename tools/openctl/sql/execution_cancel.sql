-- No row: there is none. $1 execution
-- columns: whether it was cancelled, the status before
with changed as (
	update open.executions e
	   set cancel_requested_at = coalesce(e.cancel_requested_at, now()), paused_at = null
	 where e.id = $1::uuid and not e.finished
	returning e.id
)
select exists (select from changed), e.status, (select pg_notify('open_control', c.id::text) from changed c)
  from open.executions e
 where e.id = $1::uuid
