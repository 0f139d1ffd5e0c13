-- Cancels the children of attempts that were stopped, where their parents are this server's.
-- $1 parents uuid[], $2 nodes integer[], $3 elements integer[], $4 attempts integer[], $5 this server uuid, $6 its epoch
-- columns: the children
with stopped as (
	update open.executions e
	   set cancel_requested_at = now(), paused_at = null
	  from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[]) as a(parent_id, node, element, attempt)
	  join open.child_executions k on k.parent_id = a.parent_id and k.node = a.node and k.element = a.element
	                              and k.attempt = a.attempt
	  join open.executions p on p.id = a.parent_id and p.server_id = $5::uuid
	 where e.id = k.child_id
	   and not e.finished
	   and e.cancel_requested_at is null
	   and (select open.fence($5, $6::bigint))
	returning e.id
)
select s.id, pg_notify('open_control', s.id::text) from stopped s
