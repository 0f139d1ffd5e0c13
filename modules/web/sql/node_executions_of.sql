-- All nodes of an execution, at most 10,001. One execution, compared as a
-- value: with `any` the whole history would be read.
-- $1 organization, $2 uuid[] of one execution, $3 … long fields
with x as materialized (select c.node, c.elements from open.element_counts(($2::uuid[])[1]) c),
     a as materialized (select t.node, t.attempts from open.node_attempts(case when $5::boolean then ($2::uuid[])[1] end) t)
select @{node_execution}
  from open.node_executions n
  left join x on x.node = n.node_index
  left join a on a.node = n.node_index
 where n.organization_id = $1::uuid
   and n.execution_id = ($2::uuid[])[1]
 order by n.node_index
 limit 10001
