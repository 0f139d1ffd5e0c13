-- Columns of a registered operation o. $3: document wanted.
o.id,
o.name,
o.sha256,
case when $3::boolean then o.document end as document,
o.inserted_at,
o.created_by
