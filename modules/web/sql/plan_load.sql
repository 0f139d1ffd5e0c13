-- A version's plan, and what it is compiled from.
-- $1 version uuid
-- columns: plan, plan_hash, definition
select v.plan, v.plan_hash, v.definition
  from open.dag_versions v
 where v.id = $1::uuid
