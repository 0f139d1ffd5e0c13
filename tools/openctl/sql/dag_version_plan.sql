-- $1 version, $2 plan, $3 its SHA-256
update open.dag_versions set plan = $2, plan_hash = $3 where id = $1::uuid and plan_hash is distinct from $3
