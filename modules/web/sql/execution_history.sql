-- Completions of nodes, in the order in which they were written.
-- $1 execution uuid
-- columns: node, state, attempts, started, completed (microseconds since 1970), result
select c.node, c.state, coalesce(c.attempt, 1),
       (extract(epoch from h.base_at) * 1000000)::bigint + c.started,
       (extract(epoch from h.base_at) * 1000000)::bigint + c.completed, c.result
  from open.node_history h
 cross join lateral unnest(h.nodes, h.states, h.attempts, h.started, h.completed, h.results) with ordinality
       as c(node, state, attempt, started, completed, result, position)
 where h.execution_id = $1::uuid
 order by h.first, c.position
