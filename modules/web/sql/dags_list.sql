-- A page of an organization's DAGs.
-- $1 organization, $2 limit, $3 … long fields,
-- $6 text[] of statuses, $7 name, $8 creator,
-- $9 sort value and $10 id of the last row before
-- @sort name d.name text
-- @sort inserted_at d.inserted_at timestamptz
-- @sort updated_at d.updated_at timestamptz
select @{dag}
  from open.dags d
 where d.organization_id = $1::uuid
   and d.deleted_at is null
   and ($6::text[] is null or d.status = any($6))
   and ($7::text is null or d.name = $7)
   and ($8::uuid is null or d.created_by = $8)
   and (@key, d.id) @op ($9::@type, $10::uuid) @after
 order by @key @dir, d.id @dir
 limit $2::bigint
