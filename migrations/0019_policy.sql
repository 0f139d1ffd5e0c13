-- 0019_policy - what only some members of an organization may do to a thing: its creator (of an execution also who
-- started it) and admins. Statements ask here, so the rule stands once.

create function open.actor_is_admin() returns boolean
language sql stable parallel safe as $$
	select coalesce(open.actor_role() in ('admin', 'openctl'), false)
$$;
create function open.actor_may(creator uuid, starter uuid default null) returns boolean
language sql stable parallel safe as $$
	select open.actor_is_admin() or coalesce(creator = open.actor_user(), false)
	    or coalesce(starter = open.actor_user(), false)
$$;
