-- $1 the first day to keep
select open.drop_history($1::timestamptz)
