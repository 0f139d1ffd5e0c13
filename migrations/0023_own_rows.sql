-- 0023_own_rows - what not every member may do holds in the database, too, should a statement forget it: sessions are
-- one's own, API tokens one's own or (seen, revoked) an admin's affair, secrets are for admins, and a DAG is changed by its
-- creator or an admin.

create policy oneself on open.sessions as restrictive to open_server
	using (user_id = (select open.actor_user()));
create policy oneself on open.api_tokens as restrictive to open_server
	using (user_id = (select open.actor_user()) or (select open.actor_is_admin()));
create policy for_oneself on open.api_tokens as restrictive for insert to open_server
	with check (user_id = (select open.actor_user()));
create policy admins on open.secrets as restrictive to open_server
	using ((select open.actor_is_admin()));
create policy maker on open.dags as restrictive for update to open_server
	using (open.actor_may(created_by));
