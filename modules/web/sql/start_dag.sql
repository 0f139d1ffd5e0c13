-- As start.sql, when all executions are of one DAG, as they mostly are: it is looked up once.
-- $1 organization, $2 ids uuid[], $3 DAG, $4 contexts (JSON objects) text[], $5 metadata (the same) text[],
-- $6 users uuid[], $7 priorities text[] ('': the DAG's), $8 credentials uuid[], $9 addresses text[] ('': unknown),
-- $10 this server uuid, $11 ops that need a permission text[], $12 the settings that give them text[],
-- $13 this server's epoch
-- columns: id, version, plan_hash, total_nodes, inserted_at, priority
insert into open.executions_unfinished (id, organization_id, dag_id, dag_version_id, server_id, context, metadata,
                                        total_nodes, triggered_by, priority, triggered_with, triggered_from)
select a.id, v.organization_id, v.dag_id, v.id, $10::uuid, a.context::jsonb, a.metadata::jsonb, v.node_count, a.user_id,
       coalesce(nullif(a.priority, '')::smallint, v.priority), a.credential,
       nullif(a.address, '')
  from (select v.id, v.organization_id, v.dag_id, v.node_count, v.priority
          from open.dags d
          join open.dag_versions v on v.id = d.active_version_id and v.dag_id = d.id
         where d.id = $3::uuid
           and d.organization_id = $1::uuid
           and d.status = 'active'
           and d.deleted_at is null
           and @{version_startable}
           and (select open.fence($10, $13::bigint))
        offset 0) v
 cross join unnest($2::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::uuid[], $9::text[])
       as a(id, context, metadata, user_id, priority, credential, address)
returning id, dag_version_id,
          (select v.plan_hash from open.dag_versions v where v.id = dag_version_id),
          total_nodes, inserted_at, priority
