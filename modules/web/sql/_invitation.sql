-- Columns of an invitation i.
i.id,
i.email,
i.role,
case when i.accepted_at is not null then 'accepted' when i.expires_at <= now() then 'expired' else 'pending' end as status,
i.expires_at,
i.accepted_at,
i.inserted_at,
i.organization_id,
i.invited_by
