-- Times in milliseconds; attempts: a line each, where there were several. $1 execution
select n.node_name, n.status,
       extract(epoch from n.started_at - e.started_at) * 1000 as started,
       extract(epoch from n.completed_at - n.started_at) * 1000 as took,
       n.retry_count, n.error, (x.elements ->> 'succeeded') || ' of ' || (x.elements ->> 'total') as elements,
       (select string_agg(format('attempt %s %s%s%s', t.a ->> 'number', t.a ->> 'status',
                                 ' after ' || round(extract(epoch from (t.a ->> 'completed_at')::timestamptz - (t.a ->> 'started_at')::timestamptz) * 1000) || ' ms',
                                 ': ' || (t.a ->> 'error')), E'\n' order by t.position)
          from jsonb_array_elements(a.attempts) with ordinality as t(a, position)
         where jsonb_array_length(a.attempts) > 1) as attempts
  from open.node_executions n
  left join open.element_counts($1::uuid) x on x.node = n.node_index
  join open.executions e on e.id = n.execution_id
  left join open.node_attempts($1::uuid) a on a.node = n.node_index
 where n.execution_id = $1::uuid
 order by n.started_at nulls last, n.node_index
