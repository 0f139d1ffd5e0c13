-- Starts executions of one organization (the actor's), as many as were asked for at once.
-- $1 ids uuid[], $2 DAGs uuid[], $3 contexts (JSON objects) text[], $4 users uuid[], $5 this server uuid,
-- $6 ops that need a permission text[], $7 the setting that gives it text[]
-- columns: id, DAG found, DAG active, ops allowed, version, plan_hash, total_nodes, inserted_at (null: not started)
with forbidden as materialized (
	select p.op
	  from unnest($6::text[], $7::text[]) as p(op, setting)
	 where not exists (select from open.organizations o where o.settings -> p.setting = 'true'::jsonb)
),
asked as materialized (
	select a.id, a.dag_id, a.context, a.user_id, d.id is not null as found, v.id as version_id, v.plan_hash,
	       cardinality(v.node_names) as total_nodes,
	       not exists (select from forbidden)
	           or not exists (select from jsonb_array_elements(v.definition -> 'nodes') n
	                            join forbidden b on b.op = n ->> 'op') as allowed
	  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[]) as a(id, dag_id, context, user_id)
	  left join open.dags d on d.id = a.dag_id and d.deleted_at is null
	  left join open.dag_versions v on v.id = d.active_version_id and d.status = 'active'
	                               and v.plan_hash is not null
),
inserted as (
	insert into open.executions (id, organization_id, dag_id, dag_version_id, server_id, context, total_nodes,
	                             triggered_by)
	select a.id, open.actor_organization(), a.dag_id, a.version_id, $5::uuid, a.context::jsonb, a.total_nodes,
	       a.user_id
	  from asked a
	 where a.version_id is not null and a.allowed
	returning id, inserted_at
)
select a.id, a.found, a.version_id is not null, a.allowed, a.version_id, a.plan_hash, a.total_nodes,
       to_char(i.inserted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  from asked a
  left join inserted i on i.id = a.id
