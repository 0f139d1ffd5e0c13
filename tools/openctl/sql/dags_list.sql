-- $1 organization
select d.id, d.name, d.status, d.version, v.number as active_version, d.description
  from open.dags d
  left join open.dag_versions v on v.id = d.active_version_id
 where d.organization_id = $1::uuid and d.deleted_at is null
 order by d.name
