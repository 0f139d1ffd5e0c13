-- Makes a version the one that executions run. A plan that another activation
-- stored first stays, unless it differs: then it was made by an older program.
-- $1 organization, $2 DAG, $3 version, $4 plan, $5 its SHA-256
with compiled as (
	update open.dag_versions v
	   set plan = $4::bytea, plan_hash = $5::bytea
	 where v.id = $3::uuid
	   and v.organization_id = $1::uuid
	   and v.plan_hash is distinct from $5
)
update open.dags d
   set status = 'active', active_version_id = v.id, updated_at = now()
  from open.dag_versions v
 where v.id = $3
   and v.dag_id = d.id
   and d.organization_id = $1
   and d.id = $2::uuid
   and d.deleted_at is null
   and open.actor_may(d.created_by)
returning d.id
