-- Columns of a node execution n. $3, $4: result, log wanted.
n.id,
n.node_name,
n.node_index,
n.status,
n.started_at,
n.completed_at,
round(extract(epoch from n.completed_at - n.started_at) * 1000, 3) as duration_ms,
n.retry_count,
n.error,
x.elements,
case when $3::boolean then n.result end as result,
case when $4::boolean then n.log end as log,
n.execution_id
