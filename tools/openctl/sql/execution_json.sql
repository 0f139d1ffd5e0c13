-- $1 execution
select json_build_object(
	'id', e.id, 'dag', d.name, 'version', v.number, 'status', e.status, 'priority', e.priority, 'origin', e.origin_id,
	'parent', e.parent_id, 'parent_node', e.parent_node,
	'context', e.context, 'result', e.result, 'error_message', e.error_message, 'inserted_at', e.inserted_at,
	'paused_at', e.paused_at, 'started_at', e.started_at,
	'completed_at', e.completed_at, 'total_nodes', e.total_nodes, 'succeeded_nodes', e.succeeded_nodes,
	'failed_nodes', e.failed_nodes,
	'nodes', (select coalesce(json_agg(json_build_object(
			'id', n.id, 'name', n.node_name, 'status', n.status, 'started_at', n.started_at,
			'completed_at', n.completed_at, 'retry_count', n.retry_count, 'result', n.result,
			'error', n.error, 'log', n.log, 'elements', x.elements, 'attempts', coalesce(a.attempts, '[]')) order by n.node_index), '[]')
		    from open.node_executions n
		    left join open.element_counts($1::uuid) x on x.node = n.node_index
		    left join open.node_attempts($1::uuid) a on a.node = n.node_index
		   where n.execution_id = e.id))
  from open.executions e
  join open.dags d on d.id = e.dag_id
  join open.dag_versions v on v.id = e.dag_version_id
 where e.id = $1::uuid
