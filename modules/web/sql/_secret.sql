-- Columns of a secret s; never its value.
s.id,
s.name,
s.inserted_at,
s.updated_at,
s.created_by
