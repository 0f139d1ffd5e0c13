-- A page of an execution's signals.
-- $1 organization, $2 limit, $3 long field, $4 execution, $5 name,
-- $6 sort value and $7 id of the last row before
-- @sort sent_at s.id uuid
select @{signal}
  from open.signals s
 where s.organization_id = $1::uuid
   and s.execution_id = $4::uuid
   and ($5::text is null or s.name = $5)
   and (@key, s.id) @op ($6::@type, $7::uuid) @after
 order by @key @dir, s.id @dir
 limit $2::bigint
