-- Keeps a signal to an execution; a key that was used before leads to the signal that it made.
-- $1 organization, $2 id, $3 execution, $4 name, $5 value (JSON), $6 user, $7 key or null
-- columns: the execution's status, id of the signal that is there now (null: none), whether it says the same, whether it
-- keeps as many as it may, told, whether it was allowed
with target as materialized (
	select e.id, e.status, e.finished,
	       (select count(*) from (select from open.signals f where f.execution_id = $3 and f.node is null limit 10000) kept)
	       >= 10000 as full,
	       open.actor_may(d.created_by, e.triggered_by) as allowed
	  from open.executions e
	  join open.dags d on d.id = e.dag_id
	 where e.organization_id = $1::uuid and e.id = $3::uuid
), known as materialized (
	select s.id, s.name = $4::text and s.value::jsonb = $5::jsonb as same
	  from open.signals s
	 where s.organization_id = $1 and s.execution_id = $3 and s.idempotency_key = $7::text
), sent as (
	insert into open.signals (id, organization_id, execution_id, name, value, sent_by, idempotency_key, delivered)
	select $2::uuid, $1, t.id, $4, $5::json, $6::uuid, $7,
	       (select count(*) from open.waits w where w.execution_id = t.id and w.name = $4)
	       > (select count(*) from open.signals f where f.execution_id = t.id and f.name = $4 and f.node is null)
	  from target t
	 where not t.finished and not t.full and t.allowed
	   and not exists (select from known)
	on conflict do nothing
	returning id
), told as (
	select pg_notify('open_mail', $3::text) from sent
)
select t.status, coalesce(k.id, s.id), coalesce(k.same, true), t.full, (select count(*) from told), t.allowed
  from target t
  left join known k on true
  left join sent s on true
