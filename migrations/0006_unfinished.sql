-- 0006_unfinished - executions in two parts: those that have not finished, in a small table of their own with two
-- indexes, and those that have, by time, with an index for every list. The journal's last update of an execution sets
-- `finished`, and PostgreSQL moves the row. A start writes 3 index entries instead of 8, with no foreign key that locks
-- the version's and the user's rows; 'running' is an update in place; what is adopted is found in a small table;
-- partitions of old executions can be dropped without looking whether one of them still runs.
--
-- A key that is unique over both parts would have to contain `finished`, so nothing refers to executions(id). What
-- foreign keys did is done by triggers, where something is really deleted.

-- The view is made again, as it is, over the new table.
select set_config('open.node_executions', pg_get_viewdef('open.node_executions'), true);
drop view open.node_executions;
alter table open.node_history drop constraint node_history_execution_id_fkey;
alter table open.executions rename to executions_before;
drop index open.executions_unfinished;    -- a name that the new table takes

create table open.executions (
	id                  open.execution_id not null,
	organization_id     uuid not null,
	dag_id              uuid not null,
	dag_version_id      uuid not null,
	finished            boolean not null default false,    -- whether completed_at is set
	status              open.execution_status not null default 'pending',
	server_id           uuid,                      -- the server that runs it; null: none yet
	inserted_at         timestamptz not null default now(),
	started_at          timestamptz,
	completed_at        timestamptz,
	cancel_requested_at timestamptz,
	context             open.json_object not null default '{}',
	result              jsonb,
	error_message       text,
	retry_count         open.tally not null default 0,
	total_nodes         open.tally not null default 0,
	succeeded_nodes     open.tally not null default 0,
	failed_nodes        open.tally not null default 0,
	triggered_by        uuid,                      -- a user
	metadata            open.json_object not null default '{}',
	paused_at           timestamptz                -- nothing of it starts; null: it goes on
) partition by list (finished);

-- Rows come and go: what is dead is to be vacuumed soon, and nobody is to wait for the file to become shorter.
create table open.executions_unfinished partition of open.executions (
	constraint executions_unfinished_pkey primary key (id),
	constraint executions_unfinished_check check (completed_at is null and status in ('pending', 'running'))
) for values in (false) with (
	fillfactor = 70, vacuum_truncate = off, autovacuum_vacuum_cost_delay = 0,
	autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
	autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000
);
create index executions_unfinished_organization on open.executions_unfinished (organization_id, id);
create index executions_unfinished_unclaimed on open.executions_unfinished (id) where server_id is null;

create table open.executions_finished partition of open.executions (
	constraint executions_finished_check check (completed_at is not null and status in ('success', 'failed', 'cancelled'))
) for values in (true) partition by range (id);
alter table open.executions_finished add constraint executions_finished_pkey primary key (id);
create index executions_finished_organization on open.executions_finished (organization_id, id);
create index executions_finished_dag on open.executions_finished (dag_id, id);
create index executions_finished_version on open.executions_finished (dag_version_id, id);
create index executions_finished_status on open.executions_finished (organization_id, status, id);
create index executions_finished_started on open.executions_finished (organization_id, (coalesce(started_at, 'infinity')), id);
create index executions_finished_user on open.executions_finished (triggered_by, id);
create table open.executions_finished_default partition of open.executions_finished default;

-- Partitions ---------------------------------------------------------------------------------------

-- The instant of a UUIDv7, in milliseconds.
create function open.uuid_time(id uuid) returns timestamptz
language sql immutable strict parallel safe as $$
	select to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)
$$;

-- The partitions by time of executions_finished and node_history, but the default ones.
create view open.history_partitions as
select i.inhparent::regclass as parent, c.oid::regclass as part, b.bound[1]::uuid as lowest, b.bound[2]::uuid as beyond,
       open.uuid_time(b.bound[1]::uuid) as begins, open.uuid_time(b.bound[2]::uuid) as ends
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
 cross join lateral (select regexp_match(pg_get_expr(c.relpartbound, c.oid),
                                         'FROM \(''([0-9a-f-]{36})''\) TO \(''([0-9a-f-]{36})''\)') as bound) b
 where i.inhparent in ('open.executions_finished'::regclass, 'open.node_history'::regclass)
   and not i.inhdetachpending
   and b.bound is not null;

-- A new partition is filled before anybody sees it with what the default one holds of its time; attaching it then
-- stops neither who reads nor who writes the others.
create function open.make_partition(parent regclass, begins timestamptz, ends timestamptz) returns void
language plpgsql set search_path = open, pg_temp as $$
declare
	stem text := case parent when 'open.node_history'::regclass then 'node_history' else 'executions' end;
	part text := stem || '_' || to_char(begins at time zone 'UTC', 'YYYYMMDD');
	lowest uuid := open.uuid_floor(begins);
	beyond uuid := open.uuid_floor(ends);
	key text := case stem when 'executions' then 'id' else 'execution_id' end;
begin
	execute format('create table open.%I (like %s including all)', part, parent);
	execute format('with moved as (delete from %s_default where %I >= %L and %I < %L returning *)
		insert into open.%I select * from moved', parent, key, lowest, key, beyond, part);
	execute format('alter table %s attach partition open.%I for values from (%L) to (%L)', parent, part, lowest, beyond);
end
$$;

-- Makes partitions from where those that are there end (or from the time `since`) to beyond now + ahead, each of
-- `width`: day, week or month.
create function open.make_partitions(parent regclass, width text, since timestamptz, ahead interval) returns integer
language plpgsql set search_path = open, pg_temp as $$
declare
	ends timestamptz;
	begins timestamptz;
	made integer := 0;
begin
	select coalesce(max(p.ends), '-infinity') into begins from open.history_partitions p where p.parent = make_partitions.parent;
	begins := greatest(begins, date_trunc(width, since, 'UTC'));
	while begins <= now() + ahead loop
		ends := date_trunc(width, begins at time zone 'UTC' + ('1 ' || width)::interval) at time zone 'UTC';
		perform open.make_partition(parent, begins, ends);
		begins := ends;
		made := made + 1;
	end loop;
	return made;
end
$$;

drop function open.ensure_partitions(interval);
drop function open.drop_history(timestamptz);

-- Called by whoever migrates and by servers, now and then. Those that wait for a lock let go of theirs soon.
create function open.ensure_partitions(width text default 'month', ahead interval default '2 months') returns integer
language plpgsql security definer set search_path = open, pg_temp set lock_timeout = '2s' as $$
begin
	perform pg_advisory_xact_lock(hashtext('open.ensure_partitions'));
	return open.make_partitions('open.executions_finished', width, now(), ahead)
	     + open.make_partitions('open.node_history', width, now(), ahead);
end
$$;

-- What is there -------------------------------------------------------------------------------------

do $$
declare part regclass;
begin
	-- months that are still empty need not be months
	for part in select p.part from open.history_partitions p where p.parent = 'open.node_history'::regclass and p.begins > now() loop
		execute format('drop table %s', part);
	end loop;
	perform open.make_partitions('open.executions_finished', 'month',
		coalesce((select open.uuid_time(id) from open.executions_before order by id limit 1), now()),
		'2 months');
	perform open.make_partitions('open.node_history', 'month', now(), '2 months');
end
$$;
insert into open.executions (
	id, organization_id, dag_id, dag_version_id, finished, status, server_id, inserted_at, started_at, completed_at,
	cancel_requested_at, context, result, error_message, retry_count, total_nodes, succeeded_nodes, failed_nodes,
	triggered_by, metadata, paused_at)
select id, organization_id, dag_id, dag_version_id, status not in ('pending', 'running'), status, server_id, inserted_at, started_at,
       case when status not in ('pending', 'running') then coalesce(completed_at, started_at, inserted_at) end,
       cancel_requested_at, context, result, error_message, retry_count, total_nodes, succeeded_nodes, failed_nodes,
       triggered_by, metadata, paused_at
  from open.executions_before;
drop table open.executions_before;

do $$
begin
	execute 'create view open.node_executions with (security_invoker = true) as ' || current_setting('open.node_executions');
end
$$;

-- Who asks for unfinished ones says so -----------------------------------------------------------------

create or replace function open.executions_inherit(heir uuid, heir_epoch bigint, most integer) returns setof uuid
language plpgsql volatile as $$
declare
	ended uuid;
begin
	select s.id into ended
	  from open.executions_unfinished e
	  join open.servers s on s.id = e.server_id
	 where s.ended_at is not null
	 limit 1;
	if ended is null or most < 1 then
		return;
	end if;
	perform open.fence(heir, heir_epoch);
	perform pg_advisory_xact_lock_shared(open.server_lock(ended));
	perform from open.servers s where s.id = ended and s.ended_at is not null;
	if not found then
		return; -- it came back, and looks after its own
	end if;
	return query
		update open.executions e
		   set server_id = heir
		 where not e.finished
		   and e.id in (select x.id
		                  from open.executions x
		                 where x.server_id = ended and not x.finished
		                 limit most
		                   for update skip locked)
		   and e.server_id = ended
		returning e.id::uuid;
end
$$;

-- What goes takes with it -----------------------------------------------------------------------------

-- A version (with its DAG, its organization): its executions and their history.
create function open.dag_versions_deleted() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	with gone as (
		delete from open.executions e using deleted d where e.dag_version_id = d.id returning e.id
	)
	delete from open.node_history h using gone g where h.execution_id = g.id;
	return null;
end
$$;
create trigger dag_versions_deleted after delete on open.dag_versions
	referencing old table as deleted for each statement execute function open.dag_versions_deleted();

-- A user: only that it was them.
create function open.users_deleted() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	update open.executions e set triggered_by = null from deleted d where e.triggered_by = d.id;
	return null;
end
$$;
create trigger users_deleted after delete on open.users
	referencing old table as deleted for each statement execute function open.users_deleted();

-- Walls ------------------------------------------------------------------------------------------------

-- Starts write to executions_unfinished itself (5 us less than finding the partition), so it has walls of its own.
do $$
declare t text;
begin
	foreach t in array array['executions', 'executions_unfinished'] loop
		execute format('alter table open.%I enable row level security', t);
		execute format('create policy organization on open.%1$I to open_server
			using (organization_id = (select open.actor_organization()))
			with check (organization_id = (select open.actor_organization())
				and exists (select from open.dag_versions v
				             where v.id = %1$I.dag_version_id and v.dag_id = %1$I.dag_id
				               and v.organization_id = %1$I.organization_id))', t);
		execute format('create policy system on open.%I to open_system using (true)', t);
	end loop;
end
$$;
grant select, insert, update (cancel_requested_at, paused_at) on open.executions to open_server;
grant select, insert, update on open.executions to open_system;
grant select, insert on open.executions_unfinished to open_server, open_system;
grant select on open.node_executions to open_server, open_system;
revoke all on function open.make_partition(regclass, timestamptz, timestamptz),
	open.make_partitions(regclass, text, timestamptz, interval), open.ensure_partitions(text, interval),
	open.dag_versions_deleted(), open.users_deleted() from public;
grant execute on function open.ensure_partitions(text, interval) to open_server, open_system;
