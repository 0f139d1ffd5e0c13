-- This server ends in order.
-- $1 server, $2 its epoch
select open.server_end($1::uuid, $2::bigint)
