-- $1 execution
select e.id, d.name, v.number, e.status, e.inserted_at,
       extract(epoch from e.completed_at - e.started_at) * 1000 as milliseconds,
       e.total_nodes, e.succeeded_nodes, e.failed_nodes, e.error_message, jsonb_pretty(e.result) as result
  from open.executions e
  join open.dags d on d.id = e.dag_id
  join open.dag_versions v on v.id = e.dag_version_id
 where e.id = $1::uuid
