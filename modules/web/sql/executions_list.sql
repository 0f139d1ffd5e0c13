-- A page of executions.
-- $1 organization, $2 limit, $3 … long fields,
-- $7 text[] of statuses, $8 DAG, $9 version, $10 who started it,
-- $11, $12 inserted not before, before, $13 parent,
-- $14 sort value and $15 id of the last row before
-- @sort inserted_at e.id uuid
-- @sort started_at coalesce(e.started_at, 'infinity') timestamptz
select @{execution}
  from open.executions e
 where e.organization_id = $1::uuid
   and ($7::text[] is null or e.status = any($7))
   and ($8::uuid is null or e.dag_id = $8)
   and ($9::uuid is null or e.dag_version_id = $9)
   and ($10::uuid is null or e.triggered_by = $10)
   and ($11::timestamptz is null or e.id >= open.uuid_floor($11))
   and ($12::timestamptz is null or e.id < open.uuid_floor($12))
   and ($13::uuid is null or e.parent_id = $13)
   and (@key, e.id) @op ($14::@type, $15::uuid) @after
 order by @key @dir, e.id @dir
 limit $2::bigint
