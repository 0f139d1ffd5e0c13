-- Times in milliseconds. $1 execution
select n.node_name, n.status,
       extract(epoch from n.started_at - e.started_at) * 1000 as started,
       extract(epoch from n.completed_at - n.started_at) * 1000 as took,
       n.retry_count, n.error, (x.elements ->> 'succeeded') || ' of ' || (x.elements ->> 'total') as elements
  from open.node_executions n
  left join open.element_counts($1::uuid) x on x.node = n.node_index
  join open.executions e on e.id = n.execution_id
 where n.execution_id = $1::uuid
 order by n.started_at nulls last, n.node_index
