-- Sessions that ended a month ago are forgotten, a bounded number of them.
with old as materialized (
	select s.id from open.sessions s where s.expires_at < now() - interval '30 days' limit 1000 for update skip locked)
delete from open.sessions s using old where s.id = old.id
