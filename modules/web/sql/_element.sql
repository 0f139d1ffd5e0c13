-- Columns of an element e of the node execution $5. $3, $4: result, log wanted. The id is made of the node
-- execution's and the index: stable, and of no other use.
md5($5::text || '/' || e.element_index)::uuid as id,
e.element_index,
e.status,
e.started_at,
e.completed_at,
round(extract(epoch from e.completed_at - e.started_at) * 1000, 3) as duration_ms,
e.retry_count,
e.error,
case when $3::boolean then e.result end as result,
case when $4::boolean then e.log end as log,
$5::uuid as node_execution_id
