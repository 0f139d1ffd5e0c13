-- Columns of a signal s. $3: value wanted.
s.id,
s.name,
case when $3::boolean then s.value end as value,
s.delivered,
s.sent_at,
s.taken_at,
s.taken_node,
s.attempt as taken_attempt,
nullif(s.element, -1) as taken_element,
s.execution_id,
s.sent_by
