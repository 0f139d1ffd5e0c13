-- What is needed to run an execution (again).
-- $1 id uuid, $2 this server: it alone may
-- columns: organization, unfinished and ours, started (microseconds since 1970, 0: not yet), cancel requested, version,
-- plan_hash, context, its organization's setting allow_private_addresses, paused, priority,
-- a child, its organization's settings
select e.organization_id, not e.finished and e.server_id = $2::uuid,
       coalesce((extract(epoch from e.started_at) * 1000000)::bigint, 0),
       e.cancel_requested_at is not null, v.id, v.plan_hash, e.context,
       o.settings -> 'allow_private_addresses' is not distinct from 'true', e.paused_at is not null,
       e.priority, e.parent_id is not null, o.settings
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
  join open.organizations o on o.id = e.organization_id
 where e.id = $1::uuid
