-- Columns of an entry a of the audit log.
a.id,
a.at,
a.action,
a.outcome,
a.subject_type,
a.subject_id,
a.role,
a.address,
a.detail,
a.user_id,
a.credential_id
