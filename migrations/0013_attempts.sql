-- 0013_attempts - what the history's events say of nodes: which run, and what became of each attempt.

create or replace view open.node_executions with (security_invoker = true) as
select open.node_execution_id(e.id, n.node) as id,
       e.id as execution_id,
       e.organization_id,
       n.node as node_index,
       n.name as node_name,
       coalesce(h.status, case when t.node is not null and e.status in ('pending', 'running') then 'running' end,
                'pending') as status,
       coalesce(h.started_at, t.started_at) as started_at,
       h.completed_at,
       h.result,
       h.error,
       h.log,
       coalesce(h.attempt, t.attempt, 1) - 1 as retry_count
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
  left join lateral (
	select c.node, min(r.base_at + c.started * interval '1 microsecond') as started_at,
	       max(coalesce(c.attempt, 1))::integer as attempt
	  from open.node_history r
	 cross join lateral unnest(r.nodes, r.states, r.attempts, r.started, r.elements)
	       as c(node, state, attempt, started, element)
	 where r.execution_id = e.id
	   and r.states && '{r,t,i}'::"char"[]
	   and c.state in ('r', 't', 'i')
	   and c.element is null
	 group by c.node) t on t.node = n.node
 where v.durability <> 'memory';

-- What became of each attempt of the nodes of an execution, as a list of objects per node: number, status (running
-- success failed cancelled interrupted), started_at, completed_at, error, log (its last 4,096 characters). A node that
-- never began is not there. An attempt may have a row that tells when it began and one that tells how it ended, in this
-- order; without the first, the node's start is its start.
create function open.node_attempts(execution uuid) returns table (node integer, attempts jsonb)
language sql stable as $$
	with told as (
		select c.node, c.state, r.base_at + c.started * interval '1 microsecond' as started,
		       r.base_at + c.completed * interval '1 microsecond' as completed, c.error, c.log, r.first, c.position
		  from open.node_history r
		 cross join lateral unnest(r.nodes, r.states, r.started, r.completed, r.errors, r.logs, r.elements) with ordinality
		       as c(node, state, started, completed, error, log, element, position)
		 where r.execution_id = execution
		   and c.state <> 'x'
		   and c.element is null
		   and not (c.state = 'k' or c.state = 'c' and c.started = c.completed)
	), numbered as (
		select t.*, 1 + count(*) filter (where t.state <> 'r') over (partition by t.node order by t.first, t.position
		       rows between unbounded preceding and 1 preceding) as number
		  from told t
	), tried as (
		select n.node, n.number, coalesce(max(n.started) filter (where n.state = 'r'), max(n.started)) as started,
		       max(n.completed) filter (where n.state <> 'r') as completed, max(n.state::text) filter (where n.state <> 'r') as state,
		       max(n.error) filter (where n.state <> 'r') as error, max(n.log) filter (where n.state <> 'r') as log
		  from numbered n
		 group by n.node, n.number
	)
	select t.node, jsonb_agg(jsonb_build_object(
		'number', t.number,
		'status', case t.state when 's' then 'success' when 'c' then 'cancelled' when 'i' then 'interrupted'
		          when 'f' then 'failed' when 't' then 'failed' else 'running' end,
		'started_at', to_char(t.started at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'completed_at', to_char(t.completed at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'error', t.error,
		'log', right(t.log, 4096)) order by t.number)
	  from tried t
	 group by t.node
$$;
