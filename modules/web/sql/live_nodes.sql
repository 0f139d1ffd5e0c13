-- Nodes of an execution whose state changed since a moment, in the order of that.
-- $1 execution uuid, $2 since bigint (microseconds since 1970)
-- columns: node, name, status, attempts, started, completed (microseconds since 1970, 0: not yet), result, error, log
select n.node_index, n.node_name, n.status, n.retry_count + 1,
       coalesce((extract(epoch from n.started_at) * 1000000)::bigint, 0),
       coalesce((extract(epoch from n.completed_at) * 1000000)::bigint, 0),
       n.result::text, n.error, n.log
  from open.node_executions n
 where n.execution_id = $1::uuid
   and n.status <> 'pending'
   and greatest(n.started_at, n.completed_at) >= to_timestamp($2::bigint / 1000000.0)
 order by greatest(n.started_at, n.completed_at), n.node_index
