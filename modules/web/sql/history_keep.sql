-- What one server at a time does with history, see open.keep_history. No row: another one is at it.
-- $1 days that history is kept (null: for ever), $2 executions and entries of the audit log to delete at most, $3 days
-- that the audit log is kept
-- columns: partitions made, dropped, executions deleted, entries of the audit log deleted
select k.made, k.dropped, k.deleted, open.audit_expire($3::integer, $2)
  from open.keep_history($1::integer, $2::integer) k
