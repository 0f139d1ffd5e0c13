-- The elements of a node's for_each; times in milliseconds. $1 execution, $2 name of the node
-- columns: index, status, started, took, retries, error; no row: no such node, it has no list, or it is empty
select x.element_index, x.status,
       extract(epoch from x.started_at - e.started_at) * 1000 as started,
       extract(epoch from x.completed_at - x.started_at) * 1000 as took,
       x.retry_count, x.error
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 cross join lateral open.elements_of(e.id, array_position(v.node_names, $2::text) - 1) x
 where e.id = $1::uuid
 order by x.element_index
