-- Tells those that listen that something of these executions was written.
-- $1 notes text[] (ids, separated by spaces)
-- columns: count
select count(pg_notify('open_events', n)) from unnest($1::text[]) as n
