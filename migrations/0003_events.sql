-- 0003_events - rows of a run's history that are not ends of nodes: attempts that failed, nodes that run, elements.
--
-- states gains r (an attempt runs: completed is when that was told), t (an attempt failed and another follows),
-- i (an attempt was interrupted by the death of its server), x (a fan-out's elements are known); first counts all rows.

-- Of the element of a fan-out that a row tells of; an array that would hold only nulls is null.
alter table open.node_history add column elements integer[] compression lz4;
alter type open.node_history_entry add attribute elements integer[];

create or replace view open.node_executions with (security_invoker = true) as
select open.node_execution_id(e.id, n.node) as id,
       e.id as execution_id,
       e.organization_id,
       n.node as node_index,
       n.name as node_name,
       coalesce(h.status, 'pending') as status,
       h.started_at,
       h.completed_at,
       h.result,
       h.error,
       h.log,
       coalesce(h.attempt, 1) - 1 as retry_count
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 cross join lateral (select u.name, (u.position - 1)::integer as node
                       from unnest(v.node_names) with ordinality as u(name, position)) n
  left join lateral (
	select c.node,
	       case c.state when 's' then 'success' when 'f' then 'failed' when 'k' then 'skipped'
	                    when 'c' then 'cancelled' end as status,
	       r.base_at + c.started * interval '1 microsecond' as started_at,
	       r.base_at + c.completed * interval '1 microsecond' as completed_at,
	       c.result::jsonb as result, c.error, c.log, c.attempt::integer as attempt
	  from open.node_history r
	 cross join lateral unnest(r.nodes, r.states, r.attempts, r.started, r.completed, r.results, r.errors, r.logs,
	                           r.elements)
	       as c(node, state, attempt, started, completed, result, error, log, element)
	 where r.execution_id = e.id
	   and c.state in ('s', 'f', 'k', 'c')
	   and c.element is null) h on h.node = n.node
 where v.durability <> 'memory';
