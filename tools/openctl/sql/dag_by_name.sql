-- A DAG with its newest version, locked against others who save it.
-- $1 organization, $2 name
select d.id, v.id, v.number, encode(v.definition_hash, 'hex')
  from open.dags d
  join open.dag_versions v on v.dag_id = d.id and v.number = d.version
 where d.organization_id = $1::uuid and d.name = $2 and d.deleted_at is null
   for update of d
