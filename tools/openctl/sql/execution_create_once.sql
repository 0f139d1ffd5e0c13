-- Waits for a server to take it; or the execution that the same key has made. No row: the DAG is not active any more.
-- $1 id, $2 DAG, $3 version, $4 context, $5 priority (null: the DAG's), $6 key, $7 hash of the request bytea
-- columns: the execution, whether the key was given with the same request, told
with dag as materialized (
	select d.id, d.organization_id, v.id as version, v.node_count, v.priority
	  from open.dags d
	  join open.dag_versions v on v.id = $3::uuid and v.dag_id = d.id
	 where d.id = $2::uuid and d.status = 'active' and d.deleted_at is null
), claimed as (
	insert into open.idempotency_keys as k (organization_id, actor_id, key, request_hash, execution_id)
	select dag.organization_id, dag.organization_id, $6, $7::bytea, $1::uuid from dag
	on conflict on constraint idempotency_keys_pkey do update
	   set request_hash = case when k.inserted_at < now() - open.idempotency_span() then excluded.request_hash
	                           else k.request_hash end,
	       execution_id = case when k.inserted_at < now() - open.idempotency_span() then excluded.execution_id
	                           else k.execution_id end,
	       inserted_at = case when k.inserted_at < now() - open.idempotency_span() then excluded.inserted_at
	                          else k.inserted_at end
	returning k.execution_id, k.request_hash
), started as (
	insert into open.executions (id, organization_id, dag_id, dag_version_id, context, total_nodes, priority)
	select $1, dag.organization_id, dag.id, dag.version, $4::jsonb, dag.node_count, coalesce($5::smallint, dag.priority)
	  from dag
	 cross join claimed c
	 where c.execution_id = $1
	returning id
)
select c.execution_id, c.request_hash = $7, (select count(pg_notify('open_pending', s.id::text)) from started s)
  from claimed c
