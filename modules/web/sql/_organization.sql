-- Columns of an organization o and its usage u.
o.id,
o.name,
o.slug,
o.inserted_at,
o.settings,
o.compute_quota,
o.storage_quota,
round(u.cpu_us / 1000.0, 3) as compute_used_ms,
u.bytes as storage_used_bytes,
u.executions as month_executions,
u.total_executions
