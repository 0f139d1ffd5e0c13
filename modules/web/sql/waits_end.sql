-- Nodes that wait no longer: stopped.
-- $1 executions uuid[], $2 nodes integer[], $3 elements integer[], $4 attempts integer[]
delete from open.waits w
 using unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[]) as a(execution_id, node, element, attempt)
 where w.execution_id = a.execution_id and w.node = a.node and w.element = a.element and w.attempt = a.attempt
