-- A page of an organization's DAGs.
-- $1 organization, $2 limit, $3 … long fields,
-- $5 text[] of statuses, $6 name, $7 creator,
-- $8 sort value and $9 id of the last row before
-- @sort name d.name text
-- @sort inserted_at d.inserted_at timestamptz
-- @sort updated_at d.updated_at timestamptz
select @{dag}
  from open.dags d
 where d.organization_id = $1::uuid
   and d.deleted_at is null
   and ($5::text[] is null or d.status = any($5))
   and ($6::text is null or d.name = $6)
   and ($7::uuid is null or d.created_by = $7)
   and (@key, d.id) @op ($8::@type, $9::uuid) @after
 order by @key @dir, d.id @dir
 limit $2::bigint
