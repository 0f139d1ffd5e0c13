-- Ends an execution that can't be run; its parent hears of it.
-- $1 id uuid, $2 error, $3 this server, $4 its epoch
with ended as (
	update open.executions e
	   set finished = true, status = 'failed', started_at = coalesce(e.started_at, now()), completed_at = now(),
	       error_message = $2::text
	 where e.id = $1::uuid and not e.finished
	   and (select open.fence($3::uuid, $4::bigint))
	returning e.parent_id
)
select pg_notify('open_mail', n.parent_id::text) from ended n where n.parent_id is not null
