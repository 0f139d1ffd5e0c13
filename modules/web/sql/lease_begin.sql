-- This server begins.
-- $1 server, $2 how long a lease is interval, $3 version, $4 host, $5 address
-- columns: its epoch, how many others work
select open.server_begin($1::uuid, $2::interval, $3::text, $4::text, $5::text),
       (select count(*) from open.servers o where o.id <> $1::uuid and o.ended_at is null)
