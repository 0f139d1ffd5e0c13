-- A page of an execution's nodes. Ties are broken by the index, which the id
-- holds: cheaper than making the id of every node.
-- $1 organization, $2 limit, $3 … long fields,
-- $6 execution, $7 text[] of statuses, $8 node name,
-- $9 sort value and $10 id of the last row before
-- @sort node_index n.node_index integer
-- @sort node_name n.node_name text
-- @sort started_at coalesce(n.started_at, 'infinity') timestamptz
with x as materialized (select c.node, c.elements from open.element_counts($6::uuid) c),
     a as materialized (select t.node, t.attempts from open.node_attempts(case when $5::boolean then $6::uuid end) t)
select @{node_execution}
  from open.node_executions n
  left join x on x.node = n.node_index
  left join a on a.node = n.node_index
 where n.organization_id = $1::uuid
   and n.execution_id = $6::uuid
   and ($7::text[] is null or n.status = any($7))
   and ($8::text is null or n.node_name = $8)
   and (@key, n.node_index) @op ($9::@type, ('x' || right($10::uuid::text, 8))::bit(32)::integer - 1) @after
 order by @key @dir, n.node_index @dir
 limit $2::bigint
