-- Columns of a version v. $3, $4: definition, node_count wanted.
v.id,
v.number,
case when $3::boolean then v.definition end as definition,
encode(v.definition_hash, 'hex') as definition_hash,
case when $4::boolean then v.node_count end as node_count,
v.durability,
v.priority,
v.plan_hash is not null as compiled,
v.inserted_at,
v.dag_id,
v.created_by
