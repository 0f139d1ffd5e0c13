-- $1 days that history is kept (null: for ever), $2 executions to delete at most
select k.made, k.dropped, k.deleted from open.keep_history($1::integer, $2::integer) k
