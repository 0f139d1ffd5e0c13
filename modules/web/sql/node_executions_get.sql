-- One node execution by its id, which tells execution and node (see uuid.h).
-- $1 organization, $2 uuid[] of one id, $3 … long fields
with x as materialized (select c.node, c.elements from open.element_counts((left(($2::uuid[])[1]::text, 28) || '00000000')::uuid) c),
     a as materialized (select t.node, t.attempts from open.node_attempts(case when $5::boolean then (left(($2::uuid[])[1]::text, 28) || '00000000')::uuid end) t)
select @{node_execution}
  from open.node_executions n
  left join x on x.node = n.node_index
  left join a on a.node = n.node_index
 where n.organization_id = $1::uuid
   and n.execution_id = (left(($2::uuid[])[1]::text, 28) || '00000000')::uuid
   and n.node_index = ('x' || right(($2::uuid[])[1]::text, 8))::bit(32)::integer - 1
