-- Columns of a DAG d. $3 … $5: definition, active_version, statistics wanted.
d.id,
d.name,
d.description,
d.status,
d.version,
case when $3::boolean then (select v.definition from open.dag_versions v where v.dag_id = d.id and v.number = d.version) end as definition,
case when $4::boolean then (select v.number from open.dag_versions v where v.id = d.active_version_id) end as active_version,
case when $5::boolean then open.statistics_of(d.id) end as statistics,
d.inserted_at,
d.updated_at,
d.organization_id,
d.created_by,
d.active_version_id
