-- All nodes of executions, at most 10,001.
-- $1 organization, $2 uuid[] of executions, $3 … long fields
select @{node_execution}
  from open.node_executions n
 where n.organization_id = $1::uuid
   and n.execution_id = any($2::uuid[])
 order by n.execution_id, n.node_index
 limit 10001
