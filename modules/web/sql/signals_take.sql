-- Nodes that wait for signals: each gets the one it has had before, or the oldest of its name that nobody has taken and
-- that was sent before its deadline. Who gets none is noted as waiting, until it is due.
-- $1 executions uuid[], $2 organizations uuid[], $3 nodes integer[], $4 elements integer[] (-1: none),
-- $5 attempts integer[], $6 names of nodes text[], $7 signals text[], $8 deadlines timestamptz[], $9 due boolean[], $10 this server, $11 its epoch
-- columns: place (from 1), result (JSON); no row: nothing yet
with asked as materialized (
	select *
	  from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::integer[], $5::integer[], $6::text[], $7::text[],
	              $8::timestamptz[], $9::boolean[]) with ordinality
	       as a(execution_id, organization_id, node, element, attempt, node_name, name, until_at, due, place)
	 where (select open.fence($10::uuid, $11::bigint))
), had as materialized (
	select a.place, s.id
	  from asked a
	  join open.signals s on s.execution_id = a.execution_id and s.node = a.node and s.element = a.element
), wanting as materialized (
	select a.*, row_number() over (partition by a.execution_id, a.name order by a.until_at, a.place) as turn
	  from asked a
	 where not exists (select from had h where h.place = a.place)
), free as materialized (
	select w.place, w.node, w.element, w.attempt, w.node_name, f.id
	  from (select x.execution_id, x.name, count(*) as wanted from wanting x group by 1, 2) g
	 cross join lateral (select n.id, n.sent_at, row_number() over (order by n.position) as turn
	                       from (select s.id, s.sent_at, s.position
	                               from open.signals s
	                              where s.execution_id = g.execution_id and s.name = g.name and s.node is null
	                              order by s.position
	                              limit g.wanted) n) f
	  join wanting w on w.execution_id = g.execution_id and w.name = g.name and w.turn = f.turn
	 where f.sent_at <= w.until_at
), taken as (
	update open.signals s
	   set node = f.node, element = f.element, attempt = f.attempt, taken_node = f.node_name,
	       taken_at = clock_timestamp()
	  from free f
	 where s.id = f.id and s.node is null
	returning f.place, s.id, s.name, s.value, s.sent_at, s.sent_by
), begun as (
	insert into open.waits as w (execution_id, node, element, organization_id, attempt, name)
	select a.execution_id, a.node, a.element, a.organization_id, a.attempt, a.name
	  from wanting a
	 where not a.due and not exists (select from free f where f.place = a.place)
	on conflict (execution_id, node, element) do update set attempt = excluded.attempt, name = excluded.name
	 where (w.attempt, w.name) is distinct from (excluded.attempt, excluded.name)
), ended as (
	delete from open.waits w
	 using asked a
	 where w.execution_id = a.execution_id and w.node = a.node and w.element = a.element
	   and (a.due or exists (select from had h where h.place = a.place)
	        or exists (select from free f where f.place = a.place))
), got as (
	select t.place, t.name, t.value, t.sent_at, t.sent_by from taken t
	union all
	select h.place, s.name, s.value, s.sent_at, s.sent_by from had h join open.signals s on s.id = h.id
)
select g.place,
       json_build_object(
           'signal', g.name,
           'value', g.value,
           'sent_at', to_char(g.sent_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'by', case when u.id is not null then json_build_object('id', u.id, 'email', u.email) end)
  from got g
  left join open.users u on u.id = g.sent_by
