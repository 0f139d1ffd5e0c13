-- A page of the elements of a node execution.
-- $1 organization, $2 limit, $3 … long fields,
-- $5 node execution, $6 text[] of statuses,
-- $7 sort value and $8 id of the last row before
-- @sort element_index e.element_index integer
select @{element}
  from open.elements_of((left($5::text, 28) || '00000000')::uuid, ('x' || right($5::text, 8))::bit(32)::integer - 1) e
 where e.organization_id = $1::uuid
   and ($6::text[] is null or e.status = any($6))
   and (@key @op $7::@type and $8::uuid is not null) @after
 order by @key @dir
 limit $2::bigint
