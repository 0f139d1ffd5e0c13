-- A page of versions.
-- $1 organization, $2 limit, $3 … long fields, $5 DAG, $6 number,
-- $7 sort value and $8 id of the last row before
-- @sort number v.number integer
-- @sort inserted_at v.inserted_at timestamptz
select @{dag_version}
  from open.dag_versions v
  join open.dags d on d.id = v.dag_id
 where v.organization_id = $1::uuid
   and d.deleted_at is null
   and ($5::uuid is null or v.dag_id = $5)
   and ($6::integer is null or v.number = $6)
   and (@key, v.id) @op ($7::@type, $8::uuid) @after
 order by @key @dir, v.id @dir
 limit $2::bigint
