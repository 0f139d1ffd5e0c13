-- 0011_elements - what the history tells of the elements of fan-outs (for_each).
--
-- Rows of elements: x, the list is known (element: how many there are, result: the list), and of each element the
-- letters of nodes. Nothing is written of an element that never started: it is pending, or cancelled once its node has
-- ended. Only rows of one execution are ever read, and of these only those that hold elements.

-- How many elements of each node of an execution came to what.
create function open.element_counts(execution uuid) returns table (node integer, elements jsonb)
language sql stable parallel safe rows 1 as $$
	with e as (
		select c.node, c.element, c.state, r.first, c.place
		  from open.node_history r
		 cross join lateral unnest(r.nodes, r.elements, r.states) with ordinality as c(node, element, state, place)
		 where r.execution_id = execution and r.elements is not null and c.element is not null
	), runs as (
		-- of those that were seen running: what they do now
		select l.node, count(*) filter (where l.state = 'r') as running
		  from (select distinct on (e.node, e.element) e.node, e.state
		          from e
		         where (e.node, e.element) in (select t.node, t.element from e t where t.state = 'r')
		         order by e.node, e.element, e.first desc, e.place desc) l
		 group by l.node
	), counts as (
		select e.node, max(e.element) filter (where e.state = 'x') as total,
		       count(*) filter (where e.state = 's') as succeeded,
		       count(*) filter (where e.state = 'f') as failed,
		       count(*) filter (where e.state = 'c') as cancelled
		  from e
		 group by e.node
	), ended as (
		select c.node
		  from open.node_history r
		 cross join lateral unnest(r.nodes, r.elements, r.states) as c(node, element, state)
		 where r.execution_id = execution and c.element is null and c.state in ('s', 'f', 'k', 'c')
		   and c.node in (select counts.node from counts)
	)
	select c.node, jsonb_build_object('total', c.total, 'succeeded', c.succeeded, 'failed', c.failed,
	           'cancelled', case when d.node is null then c.cancelled else c.total - c.succeeded - c.failed end,
	           'running', case when d.node is null then coalesce(r.running, 0) else 0 end)
	  from counts c
	  left join runs r on r.node = c.node
	  left join ended d on d.node = c.node
	 where c.total is not null
$$;

-- The elements of one node of an execution.
create function open.elements_of(execution uuid, of_node integer)
returns table (organization_id uuid, element_index integer, status text, started_at timestamptz, completed_at timestamptz,
               retry_count integer, error text, result jsonb, log text)
language sql stable parallel safe rows 1000 as $$
	with e as (
		select r.organization_id, r.base_at, r.first, c.*
		  from open.node_history r
		 cross join lateral unnest(r.nodes, r.elements, r.states, r.attempts, r.started, r.completed, r.results,
		                           r.errors, r.logs) with ordinality
		       as c(node, element, state, attempt, started, completed, result, error, log, place)
		 where r.execution_id = execution and r.elements is not null
		   and c.node = of_node and c.element is not null
	), ended as (
		select 1
		  from open.node_history r
		 cross join lateral unnest(r.nodes, r.elements, r.states) as c(node, element, state)
		 where r.execution_id = execution and c.node = of_node and c.element is null
		   and c.state in ('s', 'f', 'k', 'c')
	), last as (
		-- an end is the only one; of what is before it the newest counts
		select e.* from e where e.state in ('s', 'f', 'c')
		union all
		(select distinct on (e.element) e.*
		   from e
		  where e.state in ('r', 't', 'i')
		    and e.element not in (select x.element from e x where x.state in ('s', 'f', 'c'))
		  order by e.element, e.first desc, e.place desc)
	)
	select x.organization_id, i,
	       case when l.state = 's' then 'success' when l.state = 'f' then 'failed' when l.state = 'c' then 'cancelled'
	            when exists (select from ended) then 'cancelled'
	            when l.state = 'r' then 'running' else 'pending' end,
	       l.base_at + l.started * interval '1 microsecond',
	       case when l.state in ('s', 'f', 'c') then l.base_at + l.completed * interval '1 microsecond' end,
	       greatest(coalesce(l.attempt, 1) - case when l.state in ('t', 'i') then 0 else 1 end, 0)::integer,
	       l.error, l.result::jsonb, l.log
	  from e x
	 cross join lateral generate_series(0, x.element - 1) i
	  left join last l on l.element = i
	 where x.state = 'x'
$$;
revoke all on function open.element_counts(uuid), open.elements_of(uuid, integer) from public;
grant execute on function open.element_counts(uuid), open.elements_of(uuid, integer) to open_server, open_system;
