-- Runs an ended execution again, as a new one. No row: there is no such execution.
-- $1 organization, $2 origin, $3 id of the new one, $4 nodes that are kept (a byte each) bytea, $5 user, $6 context or
-- null, $7 metadata or null, $8 ops that need a permission text[], $9 the settings that give them text[]
-- columns: started, not_ended, not_active, not_allowed or forbidden
with target as materialized (
	select open.actor_may(d.created_by, e.triggered_by) as allowed
	  from open.executions e
	  join open.dags d on d.id = e.dag_id
	 where e.organization_id = $1::uuid
	   and e.id = $2::uuid
)
select r.outcome
  from (select from target where allowed offset 0) t
 cross join lateral open.execution_rerun($1, $2, $3::uuid, $4::bytea, $5::uuid, $6::jsonb, $7::jsonb, $8::text[],
                                         $9::text[]) as r(outcome)
 where r.outcome is not null
union all
select 'forbidden' from target t where not t.allowed
