-- Keeps a signal to an execution. No row: there is none.
-- $1 execution, $2 id, $3 name, $4 value (JSON)
-- columns: whether it was sent, whether a node was waiting for it, the execution's status
with target as (
	select e.id, e.organization_id, e.status, e.finished from open.executions e where e.id = $1::uuid
), sent as (
	insert into open.signals (id, organization_id, execution_id, name, value, delivered)
	select $2::uuid, t.organization_id, t.id, $3::text, $4::json,
	       (select count(*) from open.waits w where w.execution_id = t.id and w.name = $3)
	       > (select count(*) from open.signals f where f.execution_id = t.id and f.name = $3 and f.node is null)
	  from target t
	 where not t.finished
	returning delivered
)
select s.delivered is not null, coalesce(s.delivered, false), t.status,
       case when s.delivered is not null then pg_notify('open_mail', $1::text) end
  from target t
  left join sent s on true
