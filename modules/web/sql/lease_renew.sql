-- This server lives.
-- $1 server, $2 how long a lease is interval, $3 its epoch
-- columns: whether the epoch goes on, how many others work
with renewed as (
	update open.servers s
	   set lease_until = now() + $2::interval,
	       steady_at = case when s.lease_until < now() then now() else s.steady_at end
	 where s.id = $1::uuid and s.epoch = $3::bigint and s.ended_at is null
	returning 1
)
select exists (select from renewed),
       (select count(*) from open.servers o where o.id <> $1::uuid and o.ended_at is null)
