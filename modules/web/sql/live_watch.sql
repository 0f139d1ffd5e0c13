-- Tells all servers which executions somebody listens to.
-- $1 notes text[] (ids, separated by spaces)
-- columns: count
select count(pg_notify('open_watch', n)) from unnest($1::text[]) as n
