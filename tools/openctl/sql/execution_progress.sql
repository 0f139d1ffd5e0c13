-- $1 execution
select e.status, e.total_nodes, e.server_id is null as waits,
       (select count(*) from open.node_history h cross join lateral unnest(h.states, h.elements) as c(state, element)
         where h.execution_id = e.id and c.state in ('s', 'f', 'k', 'c') and c.element is null) as ended
  from open.executions e
 where e.id = $1::uuid
