-- Unfinished executions that this server must run: its own after $2, those that nobody took yet, and those of servers
-- that have ended.
-- $1 this server uuid, $2 own ones after this id uuid (null: none of them), $3 at most of each, $4 this server's epoch,
-- $5 of ended servers at most
-- columns: id, own, of another server
with claimed as (
	update open.executions e
	   set server_id = $1::uuid
	 where not e.finished
	   and e.id in (select x.id
	                  from open.executions x
	                 where x.server_id is null and not x.finished
	                 limit $3::integer
	                   for update skip locked)
	   and (select open.fence($1, $4::bigint))
	returning e.id
),
own as (
	select x.id
	  from open.executions x
	 where x.server_id = $1::uuid and not x.finished and x.id > $2::uuid
	 order by x.id
	 limit $3::integer
)
select c.id, false, false from claimed c
union all
select o.id, true, false from own o
union all
select i.id, false, true from open.executions_inherit($1::uuid, $4::bigint, $5::integer) as i(id)
 where $5 > 0
order by 1
