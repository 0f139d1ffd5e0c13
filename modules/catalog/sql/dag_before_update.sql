-- What an update must know: who may, and what the newest version is.
-- $1 organization, $2 DAG
-- columns: whether it is allowed, number and hash of the newest version
select open.actor_may(d.created_by), d.version, v.definition_hash
  from open.dags d
  join open.dag_versions v on v.dag_id = d.id and v.number = d.version
 where d.organization_id = $1::uuid
   and d.id = $2::uuid
   and d.deleted_at is null
