-- Whether an execution's version has a node. $1 execution, $2 name
select array_position(v.node_names, $2::text) is not null
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 where e.id = $1::uuid
