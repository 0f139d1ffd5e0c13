-- What live events tell of an execution, as it is now.
-- $1 id uuid
-- columns: id, organization, status, started, completed, cancelled (microseconds since 1970, 0: not yet), paused,
-- total_nodes, succeeded_nodes, failed_nodes, result, error
select e.id, e.organization_id, e.status,
       coalesce((extract(epoch from e.started_at) * 1000000)::bigint, 0),
       coalesce((extract(epoch from e.completed_at) * 1000000)::bigint, 0),
       coalesce((extract(epoch from e.cancel_requested_at) * 1000000)::bigint, 0),
       e.paused_at is not null, e.total_nodes, e.succeeded_nodes, e.failed_nodes, e.result::text, e.error_message
  from open.executions e
 where e.id = $1::uuid
