-- Starts one execution for a request with an Idempotency-Key, or tells which one such a request has started. Whoever has
-- the same key and is not yet done is waited for. A server takes the row as it takes those of openctl. No row: there is
-- no such DAG.
-- $1 organization, $2 DAG, $3 id, $4 context (JSON object), $5 metadata (the same), $6 user, $7 priority (null: the
-- DAG's), $8 ops that need a permission text[], $9 the settings that give them text[], $10 key, $11 hash of the request
-- bytea
-- columns: the execution (null: the DAG can't be started), whether the key was given with the same request, whether the
-- DAG is active, told
with dag as materialized (
	select d.id, v.id as version, v.node_count, v.priority,
	       d.status = 'active' and v.plan_hash is not null as active,
	       coalesce(v.ops && $8::text[] and v.ops && open.ops_refused($1::uuid, $8, $9::text[]), false) as refused
	  from open.dags d
	  left join open.dag_versions v on v.id = d.active_version_id
	 where d.id = $2::uuid
	   and d.organization_id = $1
	   and d.deleted_at is null
), claimed as (
	insert into open.idempotency_keys as k (organization_id, actor_id, key, request_hash, execution_id)
	select $1, $6::uuid, $10::text, $11::bytea, $3::uuid
	 where exists (select from dag where dag.active and not dag.refused)
	    or exists (select from open.idempotency_keys o
	                where o.organization_id = $1 and o.actor_id = $6 and o.key = $10
	                  and o.inserted_at >= now() - open.idempotency_span())
	on conflict on constraint idempotency_keys_pkey do update
	   set request_hash = case when k.inserted_at < now() - open.idempotency_span() then excluded.request_hash
	                           else k.request_hash end,
	       execution_id = case when k.inserted_at < now() - open.idempotency_span() then excluded.execution_id
	                           else k.execution_id end,
	       inserted_at = case when k.inserted_at < now() - open.idempotency_span() then excluded.inserted_at
	                          else k.inserted_at end
	returning k.execution_id, k.request_hash
), started as (
	insert into open.executions_unfinished (id, organization_id, dag_id, dag_version_id, context, metadata, total_nodes,
	                                        triggered_by, priority)
	select $3, $1, dag.id, dag.version, $4::jsonb, $5::jsonb, dag.node_count, $6, coalesce($7::smallint, dag.priority)
	  from dag
	 cross join claimed c
	 where c.execution_id = $3
	returning id
)
select c.execution_id, c.request_hash = $11, true,
       (select count(pg_notify('open_pending', s.id::text)) from started s)
  from claimed c
union all
select null, false, dag.active, 0
  from dag
 where not exists (select from claimed)
