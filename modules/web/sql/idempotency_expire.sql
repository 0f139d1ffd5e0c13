-- Forgets keys that are too old, a bounded number of them.
-- $1 at most
-- columns: how many
with old as materialized (
	select k.organization_id, k.actor_id, k.key
	  from open.idempotency_keys k
	 where k.inserted_at < now() - open.idempotency_span()
	 order by k.inserted_at
	 limit $1::bigint
	   for update skip locked
), gone as (
	delete from open.idempotency_keys k
	 using old
	 where k.organization_id = old.organization_id
	   and k.actor_id = old.actor_id
	   and k.key = old.key
	   and k.inserted_at < now() - open.idempotency_span()
	returning 1
)
select count(*) from gone
