-- rerun.sql for a request with an Idempotency-Key. No row: there is no such execution.
-- $1 organization, $2 origin, $3 id of the new one, $4 nodes that are kept (a byte each) bytea, $5 user, $6 context or
-- null, $7 metadata or null, $8 ops that need a permission text[], $9 the settings that give them text[], $10 key,
-- $11 hash of the request bytea
-- columns: started, not_ended, not_active, not_allowed, replayed or reused; the execution
select r.outcome, r.made
  from open.execution_rerun_once($1::uuid, $2::uuid, $3::uuid, $4::bytea, $5::uuid, $6::jsonb, $7::jsonb, $8::text[],
                                 $9::text[], $10::text, $11::bytea) as r(outcome, made)
 where r.outcome is not null
