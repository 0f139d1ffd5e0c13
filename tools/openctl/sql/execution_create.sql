-- Waits for a server to take it. No row: the DAG is not active any more, or the organization has used up a quota.
-- $1 id, $2 DAG, $3 version, $4 context, $5 priority (null: the DAG's)
with started as (
	insert into open.executions (id, organization_id, dag_id, dag_version_id, context, total_nodes, priority)
	select $1::uuid, d.organization_id, d.id, v.id, $4::jsonb, v.node_count,
	       coalesce($5::smallint, v.priority)
	  from open.dags d
	  join open.dag_versions v on v.id = $3::uuid and v.dag_id = d.id
	 where d.id = $2::uuid and d.status = 'active' and d.deleted_at is null
	   and open.quota_exceeded(d.organization_id) = 0
	returning id
)
select id, pg_notify('open_pending', id::text) from started
