-- A sign of life to all servers, of which only the one that sent it takes note.
-- $1 "beat SERVER NANOSECONDS"
select pg_notify('open_tokens', $1)
