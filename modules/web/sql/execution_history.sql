-- The history of an execution, in the order in which it was written.
-- $1 execution uuid
-- columns: node, element (-1: the node itself), state, attempts, started, completed (microseconds since 1970), result
select c.node, coalesce(c.element, -1), c.state, coalesce(c.attempt, 1),
       (extract(epoch from h.base_at) * 1000000)::bigint + c.started,
       (extract(epoch from h.base_at) * 1000000)::bigint + c.completed, c.result
  from open.node_history h
 cross join lateral unnest(h.nodes, h.elements, h.states, h.attempts, h.started, h.completed, h.results)
       with ordinality as c(node, element, state, attempt, started, completed, result, position)
 where h.execution_id = $1::uuid
 order by h.first, c.position
