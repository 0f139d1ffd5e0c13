-- Replaces a plan that was corrupted or of another version of the program.
-- $1 version uuid, $2 plan bytea, $3 plan_hash bytea
update open.dag_versions v
   set plan = $2::bytea, plan_hash = $3::bytea
 where v.id = $1::uuid
