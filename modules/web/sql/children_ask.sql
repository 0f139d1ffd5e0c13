-- Children that nodes of running executions ask for: each attempt has exactly one, made by the first who asks; then how
-- it is. What a start needs is checked as in start.sql; nothing begins for a parent that has ended.
-- $1 parents uuid[], $2 nodes integer[], $3 elements integer[] (-1: none), $4 attempts integer[], $5 names of nodes text[],
-- $6 names of DAGs text[], $7 ids for new ones text[] ('': make none now), $8 contexts (JSON objects) text[],
-- $9 this server uuid, $10 its epoch, $11 ops that need a permission text[], $12 the settings that give them text[],
-- $13 most levels
-- columns: place (from 1), made now, child (null: none), plan_hash of a new one, version; status (null: it is gone), result,
-- error of one that was there; DAG found, active, all its ops allowed; level, parent goes on
with asked as materialized (
	select a.*, p.organization_id, p.depth, p.triggered_by, p.priority,
	       not p.finished as goes_on
	  from unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[])
	       with ordinality as a(parent_id, node, element, attempt, node_name, dag, id, context, place)
	  join open.executions p on p.id = a.parent_id
	 where (select open.fence($9::uuid, $10::bigint))
), known as materialized (
	select a.place, k.child_id
	  from asked a
	  join open.child_executions k on k.parent_id = a.parent_id and k.node = a.node and k.element = a.element
	                              and k.attempt = a.attempt
), found as materialized (
	select a.place, d.id as dag_id, v.id as version_id, v.plan_hash, v.node_count,
	       not (v.ops && open.ops_refused(a.organization_id, $11::text[], $12::text[])) as allowed
	  from asked a
	  join open.dags d on d.organization_id = a.organization_id and d.name = a.dag and d.deleted_at is null
	  left join open.dag_versions v on v.id = d.active_version_id and d.status = 'active' and v.plan_hash is not null
	 where not exists (select from known k where k.place = a.place)
), named as (
	insert into open.child_executions (parent_id, node, element, attempt, child_id, organization_id)
	select a.parent_id, a.node, a.element, a.attempt, a.id::uuid, a.organization_id
	  from asked a
	  join found f on f.place = a.place
	 where a.id <> '' and f.allowed and a.goes_on and a.depth < $13::integer
	on conflict do nothing
	returning child_id
), made as (
	insert into open.executions_unfinished (id, organization_id, dag_id, dag_version_id, server_id, context, total_nodes,
	                                        triggered_by, priority, parent_id, parent_node, depth)
	select n.child_id, a.organization_id, f.dag_id, f.version_id, $9, a.context::jsonb, f.node_count, a.triggered_by,
	       a.priority, a.parent_id, a.node_name, a.depth + 1
	  from named n
	  join asked a on a.id = n.child_id::text
	  join found f on f.place = a.place
	returning id
)
select a.place, m.id is not null, coalesce(m.id, k.child_id), f.plan_hash, f.version_id,
       e.status, e.result, e.error_message,
       f.dag_id is not null, f.version_id is not null, coalesce(f.allowed, false), a.depth, a.goes_on
  from asked a
  left join known k on k.place = a.place
  left join open.executions e on e.id = k.child_id
  left join found f on f.place = a.place
  left join made m on m.id::text = a.id
