-- Columns of an API token t; its value is nowhere. $3: whether it is wanted.
t.id,
t.name,
array_to_json(t.scopes) as scopes,
t.prefix,
case when $3::boolean then null::text end as value,
t.inserted_at,
t.last_used_at,
t.expires_at,
t.user_id
