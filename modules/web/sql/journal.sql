-- Writes a batch of the journal; safe to repeat: a status only moves forward, and an execution that ends leaves the
-- unfinished ones, is counted and is charged to its organization; statistics and charges in the order of their
-- subjects, in which everybody locks them. The end of a child is told to its parent.
-- $1 rows of the history open.node_history_entry[]; of executions whose status changed: $2 ids uuid[],
-- $3 statuses text[], $4 started timestamptz[], $5 completed timestamptz[], $6 results (JSON) text[],
-- $7 errors text[], $8 succeeded nodes integer[], $9 failed nodes integer[],
-- $10 CPU microseconds bigint[], $11 bytes kept bigint[], $12 organizations uuid[]; $13 this server, $14 its epoch,
-- $15 this worker
-- (Rows are looked up one by one, each where an index says, whatever the planner believes: of a table that was empty when
-- it was last vacuumed it believes, however many rows came since, that reading all of an index costs nothing.)
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
	       failed_nodes = s.failed,
	       cpu_us = s.cpu_us,
	       stored_bytes = s.bytes
	  from unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
	              $8::integer[], $9::integer[], $10::bigint[], $11::bigint[], $12::uuid[])
	       as s(id, status, started_at, completed_at, result, error, succeeded, failed, cpu_us, bytes, organization_id)
	 cross join lateral (select x.ctid as place
	                       from open.executions_unfinished x
	                      where x.id = s.id
	                        and x.organization_id = s.organization_id
	                     offset 0) x
	 where e.ctid = x.place
	   and not e.finished
	   and (select open.fence($13::uuid, $14::bigint))
	returning e.id, e.parent_id, e.organization_id, e.dag_id, e.status, e.started_at, e.completed_at, e.total_nodes,
	          e.failed_nodes, e.cpu_us, e.stored_bytes
), counted as (
	@{statistics_count}
), charged as (
	insert into open.usage as u (organization_id, month, shard, cpu_us, executions, bytes)
	select c.organization_id, open.usage_month(open.uuid_time(c.id)), $15::smallint, sum(c.cpu_us), count(*), sum(c.stored_bytes)
	  from changed c
	 where c.completed_at is not null
	 group by 1, 2
	 order by 1, 2
	on conflict (organization_id, month, shard) do update
	   set cpu_us = u.cpu_us + excluded.cpu_us,
	       executions = u.executions + excluded.executions,
	       bytes = u.bytes + excluded.bytes
)
select pg_notify('open_mail', c.parent_id::text) from changed c where c.parent_id is not null and c.completed_at is not null
