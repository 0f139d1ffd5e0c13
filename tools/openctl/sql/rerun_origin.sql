-- What a rerun must know of its origin. $1 execution
-- columns: organization, status, durability, plan, definition; nodes that have ended (indexes, separated by commas) and
-- how (a letter each, see open.node_history)
select e.organization_id, e.status, v.durability, v.plan, v.definition, n.nodes, n.states
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 cross join lateral (select string_agg(c.node::text, ',' order by h.first, c.position) as nodes,
                            string_agg(c.state::text, '' order by h.first, c.position) as states
                       from open.node_history h
                      cross join lateral unnest(h.nodes, h.states, h.elements) with ordinality
                            as c(node, state, element, position)
                      where h.execution_id = e.id
                        and c.element is null
                        and c.state in ('s', 'f', 'k', 'c')) n
 where e.id = $1::uuid
