-- Why executions were not started.
-- $1 organization, $2 ids uuid[], $3 DAGs uuid[], $4 ops that need a permission text[],
-- $5 the settings that give them text[]
-- columns: id, DAG found, DAG active, an op refused, an unknown pool's name
select a.id, d.id is not null, v.id is not null,
       coalesce(v.ops && open.ops_refused($1, $4::text[], $5::text[]), false),
       open.pool_unknown($1, v.pools)
  from unnest($2::uuid[], $3::uuid[]) as a(id, dag_id)
  left join open.dags d on d.id = a.dag_id
                       and d.organization_id = $1::uuid
                       and d.deleted_at is null
  left join open.dag_versions v on v.id = d.active_version_id
                               and d.status = 'active'
                               and v.plan_hash is not null
