-- Ends an execution that can't be run, and counts it as the journal does; its parent hears of it.
-- $1 id uuid, $2 error, $3 this server, $4 its epoch
with changed as (
	update open.executions e
	   set finished = true, status = 'failed', started_at = coalesce(e.started_at, now()), completed_at = now(),
	       error_message = $2::text
	 where e.id = $1::uuid and not e.finished
	   and (select open.fence($3::uuid, $4::bigint))
	returning e.parent_id, e.organization_id, e.dag_id, e.status, e.started_at, e.completed_at, e.total_nodes, e.failed_nodes
), counted as (
	@{statistics_count}
)
select pg_notify('open_mail', c.parent_id::text) from changed c where c.parent_id is not null
