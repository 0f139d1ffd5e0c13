-- Unfinished executions that this server must run: its own after $2, and those that nobody took yet.
-- $1 this server uuid, $2 own ones after this id uuid (null: none of them), $3 at most
-- columns: id, own
with claimed as (
	update open.executions e
	   set server_id = $1::uuid
	 where e.id in (select x.id
	                  from open.executions x
	                 where x.server_id is null and x.status in ('pending', 'running')
	                 limit $3::integer
	                   for update skip locked)
	returning e.id
),
own as (
	select x.id
	  from open.executions x
	 where x.server_id = $1::uuid and x.status in ('pending', 'running') and x.id > $2::uuid
	 order by x.id
	 limit $3::integer
)
select c.id, false from claimed c
union all
select o.id, true from own o
order by 1
