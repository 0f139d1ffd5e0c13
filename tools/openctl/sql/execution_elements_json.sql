-- The elements of a node's for_each. $1 execution, $2 name of the node
-- columns: a JSON list
select coalesce(json_agg(json_build_object(
	'index', x.element_index, 'status', x.status, 'started_at', x.started_at, 'completed_at', x.completed_at,
	'retry_count', x.retry_count, 'result', x.result, 'error', x.error, 'log', x.log) order by x.element_index), '[]')
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 cross join lateral open.elements_of(e.id, array_position(v.node_names, $2::text) - 1) x
 where e.id = $1::uuid
