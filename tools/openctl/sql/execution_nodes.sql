-- Times in milliseconds. $1 execution
select n.node_name, n.status,
       extract(epoch from n.started_at - e.started_at) * 1000 as started,
       extract(epoch from n.completed_at - n.started_at) * 1000 as took,
       n.retry_count, n.error
  from open.node_executions n
  join open.executions e on e.id = n.execution_id
 where n.execution_id = $1::uuid
 order by n.started_at nulls last, n.node_index
