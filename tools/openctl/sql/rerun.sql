-- $1 organization, $2 origin, $3 id of the new execution, $4 nodes that are kept (a byte each) bytea or null, $5 ops that
-- need a permission text[], $6 the settings that give them text[]
-- columns: started, not_ended, not_active or not_allowed
select r.outcome
  from (select set_config('open.actor', $1 || '  openctl', true) as actor) s
 cross join lateral (select open.execution_rerun(split_part(s.actor, ' ', 1)::uuid, $2::uuid, $3::uuid, $4::bytea, null, null, null,
                                                 $5::text[], $6::text[])) as r(outcome)
