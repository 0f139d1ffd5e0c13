-- $1 execution
select e.status, e.total_nodes, e.server_id is null as waits,
       (select coalesce(sum(cardinality(h.nodes)), 0) from open.node_history h where h.execution_id = e.id) as ended
  from open.executions e
 where e.id = $1::uuid
