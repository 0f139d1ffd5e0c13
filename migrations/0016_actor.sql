-- 0016_actor - who acts: one setting of the transaction, open.actor, "ORGANIZATION USER ROLE CREDENTIAL ADDRESS"
-- (modules/web/actor.h), each part possibly empty; openctl's is "  openctl". Row-level security and triggers read it here.

create or replace function open.actor_organization() returns uuid
language sql stable parallel safe as $$
	select nullif(split_part(current_setting('open.actor', true), ' ', 1), '')::uuid
$$;
create function open.actor_user() returns uuid
language sql stable parallel safe as $$
	select nullif(split_part(current_setting('open.actor', true), ' ', 2), '')::uuid
$$;
-- user, admin, openctl; null: nobody.
create function open.actor_role() returns text
language sql stable parallel safe as $$
	select nullif(split_part(current_setting('open.actor', true), ' ', 3), '')
$$;
-- The session or API token.
create function open.actor_credential() returns uuid
language sql stable parallel safe as $$
	select nullif(split_part(current_setting('open.actor', true), ' ', 4), '')::uuid
$$;
create function open.actor_address() returns text
language sql stable parallel safe as $$
	select nullif(split_part(current_setting('open.actor', true), ' ', 5), '')
$$;
