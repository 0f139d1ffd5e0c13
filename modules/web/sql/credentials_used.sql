-- Notes that credentials were used; sessions live longer. What another server notes just now is left to it.
-- $1 sessions uuid[], $2 API tokens uuid[], $3 seconds that a session lives without being used
-- columns: session, how long it is good from now on (microseconds)
with used_sessions as materialized (
	select s.id from open.sessions s
	 where s.id = any ($1::uuid[]) and s.revoked_at is null and s.expires_at > now()
	   for no key update skip locked
), used_tokens as materialized (
	select t.id from open.api_tokens t where t.id = any ($2::uuid[]) for no key update skip locked
), noted_tokens as (
	update open.api_tokens t set last_used_at = now() from used_tokens u where t.id = u.id
), noted_sessions as (
	update open.sessions s
	   set last_used_at = now(), expires_at = greatest(s.expires_at, now() + $3::bigint * interval '1 second')
	  from used_sessions u
	 where s.id = u.id
	returning s.id, s.expires_at
)
select n.id, (extract(epoch from n.expires_at - now()) * 1000000)::bigint from noted_sessions n
