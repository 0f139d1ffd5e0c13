-- 0021_audit - who did what to what, when, from where: every change and every refused attempt.
--
-- Changes are told by triggers, in the transaction that makes them, so REST, GraphQL and openctl are alike. Refused
-- attempts come from the server (web/audit.h). That an execution was started is in the execution itself, which has the
-- credential and the address for it: a row more for each start would cost more than half of one. No role of the server
-- can change or delete a row; the owner's open.audit_expire forgets what is old, never what is younger than 30 days.

create table open.audit_log (
	id              uuid primary key default open.uuid_v7(),
	at              timestamptz not null default clock_timestamp(),
	organization_id uuid,                          -- null: nobody's (a failed sign-in, a bad token)
	user_id         uuid,
	role            text,                          -- in which he acted: user, admin, openctl; null: the server, or nobody
	credential_id   uuid,                          -- session or API token
	address         text,
	action          text not null,                 -- "dag.update", see modules/web/policy.c
	subject_type    text,
	subject_id      uuid,
	outcome         text not null default 'done',  -- or the code of the error that refused it
	detail          jsonb not null default '{}'    -- what changed: {"name": ["before", "after"]}; never a secret or a definition
);
create index audit_log_organization on open.audit_log (organization_id, id);

alter table open.audit_log enable row level security;
create policy organization on open.audit_log for select to open_server
	using (organization_id = (select open.actor_organization()) and (select open.actor_is_admin()));
create policy system on open.audit_log for select to open_system using (true);
grant select on open.audit_log to open_server, open_system;

create function open.audit_write(organization uuid, action text, subject_type text, subject uuid, detail jsonb) returns void
language sql volatile security definer set search_path = open, pg_temp as $$
	insert into open.audit_log (organization_id, user_id, role, credential_id, address, action, subject_type, subject_id, detail)
	values (organization, open.actor_user(), open.actor_role(), open.actor_credential(), open.actor_address(),
	        action, subject_type, subject, case when length(detail::text) <= 4000 then detail else '{"long": true}' end)
$$;

-- What differs between two values of a column: of objects, by key.
create function open.audit_difference(before jsonb, after jsonb) returns jsonb
language sql immutable parallel safe as $$
	select case when jsonb_typeof(before) = 'object' and jsonb_typeof(after) = 'object'
	            then (select coalesce(jsonb_object_agg(k, jsonb_build_array(before -> k, after -> k)), '{}')
	                    from (select jsonb_object_keys(before) union select jsonb_object_keys(after)) as keys(k)
	                   where before -> k is distinct from after -> k)
	            else jsonb_build_array(before, after) end
$$;

-- Arguments: the type ("dag"); the columns that hold the organization ('': the actor's; '*': each that the user is a member
-- of) and the subject's id; the columns that may be shown, separated by commas; then verbs: COLUMN:VERB where a column got
-- another value that is not null, COLUMN=VALUE:VERB where it got this one ('': null).
create function open.audit_change() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
declare
	before jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
	after jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
	whole jsonb := coalesce(after, before);
	verb text := case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end;
	shown jsonb := '{}';
	name text;
	part text[];
begin
	if tg_op = 'UPDATE' and before - 'updated_at' = after - 'updated_at' then
		return null;
	end if;
	foreach name in array string_to_array(tg_argv[3], ',') loop
		if tg_op <> 'UPDATE' then
			shown := shown || jsonb_build_object(name, whole -> name);
		elsif before -> name is distinct from after -> name then
			shown := shown || jsonb_build_object(name, open.audit_difference(before -> name, after -> name));
		end if;
	end loop;
	for i in 4 .. tg_nargs - 1 loop
		part := regexp_match(tg_argv[i], '^([a-z_]+)(?:(=)([^:]*))?:(.+)$');
		if tg_op = 'UPDATE' and before -> part[1] is distinct from after -> part[1]
		   and (case when part[2] is null then after ->> part[1] is not null
		             else coalesce(after ->> part[1], '') = part[3] end) then
			verb := part[4];
		end if;
	end loop;
	if tg_argv[1] = '*' then
		perform open.audit_write(m.organization_id, tg_argv[0] || '.' || verb, tg_argv[0], (whole ->> tg_argv[2])::uuid, shown)
		   from open.memberships m
		  where m.user_id = (whole ->> tg_argv[2])::uuid;
	else
		perform open.audit_write((whole ->> tg_argv[1])::uuid, tg_argv[0] || '.' || verb, tg_argv[0],
		                         (whole ->> tg_argv[2])::uuid, shown);
	end if;
	return null;
end
$$;

create trigger audit_made after insert or delete on open.organizations for each row
	execute function open.audit_change('organization', 'id', 'id', 'name,slug');
create trigger audit_changed after update of name, slug, settings, compute_quota, storage_quota on open.organizations for each row
	execute function open.audit_change('organization', 'id', 'id', 'name,slug,settings,compute_quota,storage_quota');
create trigger audit_changed after update of email, hashed_password, name, confirmed_at, deactivated_at on open.users for each row
	execute function open.audit_change('user', '*', 'id', 'email,name,confirmed_at,deactivated_at',
	                                   'confirmed_at:confirm', 'deactivated_at:deactivate', 'hashed_password:password');
create trigger audit_changed after insert or delete or update of role, deactivated_at on open.memberships for each row
	execute function open.audit_change('membership', 'organization_id', 'user_id', 'role,deactivated_at',
	                                   'deactivated_at:deactivate');
create trigger audit_changed after insert or update of name, scopes, expires_at, revoked_at on open.api_tokens for each row
	execute function open.audit_change('token', 'organization_id', 'id', 'name,prefix,scopes,expires_at', 'revoked_at:delete');
create trigger audit_made after insert on open.sessions for each row
	execute function open.audit_change('session', 'organization_id', 'id', 'user_id,address,user_agent');
create trigger audit_changed after update of revoked_at on open.sessions for each row
	execute function open.audit_change('session', 'organization_id', 'id', 'user_id', 'revoked_at:delete');
create trigger audit_changed after insert or delete or update of name, ciphertext on open.secrets for each row
	execute function open.audit_change('secret', 'organization_id', 'id', 'name,key_id');
create trigger audit_changed after insert or delete
	or update of name, description, status, version, active_version_id, deleted_at on open.dags for each row
	execute function open.audit_change('dag', 'organization_id', 'id', 'name,status,version',
	                                   'active_version_id:activate', 'status=active:activate', 'status=archived:archive',
	                                   'deleted_at:delete');
-- What the server itself does to executions (children of one that was cancelled) is not told.
create trigger audit_changed after update of cancel_requested_at, paused_at on open.executions for each row
	when (open.actor_role() is not null)
	execute function open.audit_change('execution', 'organization_id', 'id', 'dag_id',
	                                   'paused_at=:resume', 'paused_at:pause', 'cancel_requested_at:cancel');
create function open.audit_signal() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	perform open.audit_write(new.organization_id, 'execution.signal', 'execution', new.execution_id,
	                         jsonb_build_object('name', new.name, 'signal', new.id));
	return null;
end
$$;
create trigger audit_sent after insert on open.signals for each row
	when (open.actor_role() is not null) execute function open.audit_signal();

-- Refused attempts, many at once: the array's elements have the columns' names, and since when and how often.
create function open.audit_refused(attempts jsonb) returns integer
language sql volatile security definer set search_path = open, pg_temp as $$
	with written as (
		insert into open.audit_log (at, organization_id, user_id, role, credential_id, address, action, subject_type, subject_id,
		                            outcome, detail)
		select to_timestamp(a.at_us / 1000000.0), a.organization_id, a.user_id, a.role, a.credential_id, a.address, a.action,
		       a.subject_type, a.subject_id, a.outcome,
		       case when a.count > 1 then jsonb_build_object('count', a.count) else '{}' end
		  from jsonb_to_recordset(attempts) as a(at_us bigint, organization_id uuid, user_id uuid, role text, credential_id uuid,
		       address text, action text, subject_type text, subject_id uuid, outcome text, count bigint)
		 where a.outcome <> 'done'
		returning 1
	)
	select count(*)::integer from written
$$;

-- What is older than so many days goes; refused attempts go after 90 days at the latest.
create function open.audit_expire(days integer, most integer) returns integer
language sql volatile security definer set search_path = open, pg_temp as $$
	with old as (
		select l.id from open.audit_log l
		 where l.id < open.uuid_floor(now() - make_interval(days => greatest(30, least(days, 90))))
		   and (l.outcome <> 'done' or l.id < open.uuid_floor(now() - make_interval(days => greatest(30, days))))
		 order by l.id
		 limit most
		   for update skip locked
	), gone as (
		delete from open.audit_log l using old where l.id = old.id returning 1
	)
	select count(*)::integer from gone
$$;

-- Starts: by what credential and from where. Statements of requests give it, or it is the actor's.
alter table open.executions add column triggered_with uuid, add column triggered_from text;
alter table open.executions alter column triggered_with set default open.actor_credential(),
	alter column triggered_from set default open.actor_address();
alter table open.executions_unfinished alter column triggered_with set default open.actor_credential(),
	alter column triggered_from set default open.actor_address();

revoke all on function open.audit_write(uuid, text, text, uuid, jsonb), open.audit_change(), open.audit_signal(),
	open.audit_refused(jsonb), open.audit_expire(integer, integer) from public;
grant execute on function open.audit_refused(jsonb), open.audit_expire(integer, integer) to open_system;
