-- Writes a batch of the journal; safe to repeat: a status only moves forward, and an execution that ends leaves the
-- unfinished ones. The end of a child is told to its parent.
-- $1 rows of the history open.node_history_entry[]; of executions whose status changed: $2 ids uuid[],
-- $3 statuses text[], $4 started timestamptz[], $5 completed timestamptz[], $6 results (JSON) text[],
-- $7 errors text[], $8 succeeded nodes integer[], $9 failed nodes integer[]; $10 this server, $11 its epoch
with history as (
	insert into open.node_history (execution_id, first, organization_id, base_at, nodes, states, attempts,
	                               started, completed, results, errors, logs, elements)
	select h.execution_id, h.first, h.organization_id, h.base_at, h.nodes, h.states, h.attempts,
	       h.started, h.completed, h.results, h.errors, h.logs, h.elements
	  from unnest($1::open.node_history_entry[]) as h
	on conflict do nothing
), changed as (
	update open.executions e
	   set finished = s.completed_at is not null,
	       status = s.status,
	       started_at = coalesce(s.started_at, e.started_at),
	       completed_at = s.completed_at,
	       result = s.result::jsonb,
	       error_message = s.error,
	       succeeded_nodes = s.succeeded,
	       failed_nodes = s.failed
	  from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
	              $8::integer[], $9::integer[])
	       as s(id, status, started_at, completed_at, result, error, succeeded, failed)
	 where e.id = s.id
	   and not e.finished
	   and (select open.fence($10::uuid, $11::bigint))
	returning e.parent_id, e.completed_at
)
select pg_notify('open_mail', c.parent_id::text) from changed c where c.parent_id is not null and c.completed_at is not null
