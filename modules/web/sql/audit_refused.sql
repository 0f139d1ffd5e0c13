-- Keeps refused attempts in the audit log.
-- $1 the attempts (JSON array), see open.audit_refused
-- columns: how many were written
select open.audit_refused($1::jsonb)
