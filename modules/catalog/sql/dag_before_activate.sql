-- The version to activate: by number, or the newest.
-- $1 organization, $2 DAG, $3 number or null
-- columns: whether it is allowed, version's id (null: no such number), definition
select open.actor_may(d.created_by), v.id, v.definition
  from open.dags d
  left join open.dag_versions v on v.dag_id = d.id and v.number = coalesce($3::integer, d.version)
 where d.organization_id = $1::uuid
   and d.id = $2::uuid
   and d.deleted_at is null
