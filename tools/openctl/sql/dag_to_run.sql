-- $1 organization, $2 name
select d.id, v.id, v.plan
  from open.dags d
  left join open.dag_versions v on v.id = d.active_version_id and d.status = 'active'
 where d.organization_id = $1::uuid and d.name = $2 and d.deleted_at is null
