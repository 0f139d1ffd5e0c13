-- What one server at a time does with history, see open.keep_history. No row: another one is at it.
-- $1 days that history is kept (null: for ever), $2 executions to delete at most
-- columns: partitions made, dropped, executions deleted
select k.made, k.dropped, k.deleted from open.keep_history($1::integer, $2::integer) k
