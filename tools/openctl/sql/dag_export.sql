-- $1 organization, $2 name, $3 version's number or null for the newest
select d.name, d.description, v.definition, v.number
  from open.dags d
  join open.dag_versions v on v.dag_id = d.id and v.number = coalesce($3::integer, d.version)
 where d.organization_id = $1::uuid and d.name = $2 and d.deleted_at is null
