-- As journal.sql, when no execution's status changed: a sync run's frontier.
-- $1 rows of the history open.node_history_entry[], $2 this server, $3 its epoch
insert into open.node_history (execution_id, first, organization_id, base_at, nodes, states, attempts,
                               started, completed, results, errors, logs, elements)
select h.execution_id, h.first, h.organization_id, h.base_at, h.nodes, h.states, h.attempts,
       h.started, h.completed, h.results, h.errors, h.logs, h.elements
  from unnest($1::open.node_history_entry[]) as h
 where (select open.fence($2::uuid, $3::bigint))
on conflict do nothing
