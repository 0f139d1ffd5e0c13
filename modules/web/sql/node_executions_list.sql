-- A page of an execution's nodes. Ties are broken by the index, which the id
-- holds: cheaper than making the id of every node.
-- $1 organization, $2 limit, $3 … long fields,
-- $5 execution, $6 text[] of statuses, $7 node name,
-- $8 sort value and $9 id of the last row before
-- @sort node_index n.node_index integer
-- @sort node_name n.node_name text
-- @sort started_at coalesce(n.started_at, 'infinity') timestamptz
select @{node_execution}
  from open.node_executions n
  left join open.element_counts($5::uuid) x on x.node = n.node_index
 where n.organization_id = $1::uuid
   and n.execution_id = $5::uuid
   and ($6::text[] is null or n.status = any($6))
   and ($7::text is null or n.node_name = $7)
   and (@key, n.node_index) @op ($8::@type, ('x' || right($9::uuid::text, 8))::bit(32)::integer - 1) @after
 order by @key @dir, n.node_index @dir
 limit $2::bigint
