-- 0010_history - statistics that are kept as executions end, and how long history is kept.

-- Statistics ------------------------------------------------------------------------------------------

-- Of a DAG, and of an organization (the row whose subject is the organization itself): what has ended so far, also
-- what retention has dropped since. The journal adds to them in the statement that writes the ends, each connection
-- to rows of its own (shard), so that journals don't wait for one another; who reads sums up.
create table open.execution_statistics (
	subject_id      uuid not null,
	shard           smallint not null,
	organization_id uuid not null,
	executions      bigint not null default 0,
	succeeded       bigint not null default 0,
	failed          bigint not null default 0,
	cancelled       bigint not null default 0,
	duration_us     bigint not null default 0,    -- of all of them, from started_at to completed_at
	nodes           bigint not null default 0,
	failed_nodes    bigint not null default 0,
	last_ended_at   timestamptz not null,
	primary key (subject_id, shard)
) with (fillfactor = 20, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

create function open.statistics_shard() returns smallint
language sql stable parallel safe as $$
	select (pg_backend_pid() % 32)::smallint
$$;

insert into open.execution_statistics (subject_id, shard, organization_id, executions, succeeded, failed, cancelled,
                                       duration_us, nodes, failed_nodes, last_ended_at)
select coalesce(e.dag_id, e.organization_id), 0, e.organization_id, count(*), count(*) filter (where e.status = 'success'),
       count(*) filter (where e.status = 'failed'), count(*) filter (where e.status = 'cancelled'),
       coalesce(sum(extract(epoch from e.completed_at - e.started_at) * 1000000), 0)::bigint,
       sum(e.total_nodes), sum(e.failed_nodes), max(e.completed_at)
  from open.executions e
 where e.finished
 group by grouping sets ((e.organization_id, e.dag_id), (e.organization_id));

-- What an API shows of a subject; null: none of its executions has ended.
create function open.statistics_of(subject uuid) returns jsonb
language sql stable parallel safe as $$
	select case when sum(s.executions) > 0 then jsonb_build_object(
		'total_executions', sum(s.executions),
		'succeeded_executions', sum(s.succeeded),
		'failed_executions', sum(s.failed),
		'cancelled_executions', sum(s.cancelled),
		'success_rate', round(100.0 * sum(s.succeeded) / sum(s.executions), 2),
		'avg_duration_ms', round(sum(s.duration_us) / sum(s.executions) / 1000.0, 3),
		'total_duration_ms', round(sum(s.duration_us) / 1000.0, 3),
		'total_nodes', sum(s.nodes),
		'failed_nodes', sum(s.failed_nodes),
		'last_ended_at', max(s.last_ended_at)) end
	  from open.execution_statistics s
	 where s.subject_id = subject
$$;

-- Retention ---------------------------------------------------------------------------------------------

-- An organization's own retention in days (setting retention_days, at least 1); null: as long as the server keeps it.
create function open.retention_days(settings jsonb) returns integer
language sql immutable strict parallel safe as $$
	select case when jsonb_typeof(settings -> 'retention_days') = 'number'
	            then greatest(1, least(36500, (settings ->> 'retention_days')::numeric))::integer end
$$;
update open.organizations set settings = settings - 'retention_days'
 where settings ? 'retention_days';    -- it meant nothing so far
alter table open.organizations add constraint organizations_retention_check check (
	not settings ? 'retention_days'
	or jsonb_typeof(settings -> 'retention_days') = 'null'
	or (jsonb_typeof(settings -> 'retention_days') = 'number' and settings ->> 'retention_days' ~ '^[1-9][0-9]{0,4}$'));

-- The first id that the acting organization still sees of what has finished.
create function open.history_floor() returns uuid
language sql stable parallel safe as $$
	select coalesce((select open.uuid_floor(now() - make_interval(days => open.retention_days(o.settings)))
	                   from open.organizations o
	                  where o.id = open.actor_organization()),
	                '00000000-0000-0000-0000-000000000000')
$$;

drop policy organization on open.executions;
create policy organization on open.executions to open_server
	using (organization_id = (select open.actor_organization())
	   and (not finished or id >= (select open.history_floor())))
	with check (organization_id = (select open.actor_organization())
		and exists (select from open.dag_versions v
		             where v.id = executions.dag_version_id and v.dag_id = executions.dag_id
		               and v.organization_id = executions.organization_id));

-- Drops partitions that end before a time. Of node_history none in which an unfinished execution began: it may have to
-- be resumed. Waits for a lock at most so long; starts need none of these locks.
create function open.drop_history(before timestamptz) returns integer
language plpgsql security definer set search_path = open, pg_temp set lock_timeout = '1s' as $$
declare
	old record;
	dropped integer := 0;
begin
	perform pg_advisory_xact_lock(hashtext('open.ensure_partitions'));
	for old in
		select p.parent, p.part, p.lowest, p.beyond from open.history_partitions p
		 where p.ends <= least(before, now() - interval '1 day')
		 order by p.ends, p.parent = 'open.node_history'::regclass
	loop
		continue when old.parent = 'open.node_history'::regclass
			and exists (select from open.executions_unfinished e where e.id >= old.lowest and e.id < old.beyond);
		execute format('drop table %s', old.part);
		dropped := dropped + 1;
		continue when old.parent = 'open.node_history'::regclass;
		delete from open.signals s
		 where s.execution_id >= old.lowest and s.execution_id < old.beyond
		   and not exists (select from open.executions_unfinished e where e.id = s.execution_id);
		delete from open.child_executions c
		 where c.parent_id >= old.lowest and c.parent_id < old.beyond
		   and not exists (select from open.executions_unfinished e where e.id = c.parent_id);
	end loop;
	return dropped;
exception when lock_not_available then
	return 0;    -- the next time
end
$$;

-- Deletes up to `most` finished executions of one owner of old history with what their nodes left: of organizations
-- that keep less than the server, and of what came late to the default partition. How many they were.
create function open.expire_history(before timestamptz, most integer) returns integer
language plpgsql security definer set search_path = open, pg_temp set enable_seqscan = off set plan_cache_mode = force_custom_plan as $$
declare
	organization record;
	gone uuid[];
	deleted integer := 0;
begin
	for organization in
		select o.id, open.uuid_floor(now() - make_interval(days => open.retention_days(o.settings))) as floor
		  from open.organizations o
		 where open.retention_days(o.settings) is not null
	loop
		exit when deleted >= most;
		select array_agg(x.id) into gone
		  from (select e.id::uuid from open.executions_finished e
		         where e.organization_id = organization.id and e.id < organization.floor
		         order by e.id limit most - deleted) x;
		deleted := deleted + open.delete_finished(gone);
	end loop;
	if deleted < most then
		select array_agg(x.id) into gone
		  from (select e.id::uuid from open.executions_finished_default e
		         where e.id < open.uuid_floor(before) order by e.id limit most - deleted) x;
		deleted := deleted + open.delete_finished(gone);
	end if;
	return deleted;
end
$$;

-- Ids in ascending order.
create function open.delete_finished(gone uuid[]) returns integer
language plpgsql set search_path = open, pg_temp as $$
begin
	if gone is null then
		return 0;
	end if;
	delete from open.node_history h
	 where h.execution_id = any(gone) and h.execution_id >= gone[1] and h.execution_id <= gone[cardinality(gone)];
	delete from open.signals s where s.execution_id = any(gone);
	delete from open.child_executions c where c.parent_id = any(gone);
	delete from open.executions e
	 where e.finished and e.id = any(gone) and e.id >= gone[1] and e.id <= gone[cardinality(gone)];
	return cardinality(gone);
end
$$;

-- What one server at a time does every hour: partitions ahead, partitions behind, expired rows. keep_days null: for
-- ever. A row; none: another server is at it.
create function open.keep_history(keep_days integer, most integer)
returns table (made integer, dropped integer, deleted integer)
language plpgsql security definer set search_path = open, pg_temp as $$
declare
	before timestamptz := coalesce(now() - make_interval(days => greatest(keep_days, 1)), '-infinity');
begin
	if not pg_try_advisory_xact_lock(hashtext('open.keep_history')) then
		return;
	end if;
	deleted := open.expire_history(before, most);
	-- locks of partitions last; a dozen partitions or two, whatever is kept
	begin
		made := open.ensure_partitions(case when keep_days <= 14 then 'day' when keep_days <= 100 then 'week' else 'month' end,
			case when keep_days <= 14 then interval '4 days' when keep_days <= 100 then interval '3 weeks' else interval '2 months' end);
	exception when lock_not_available then
		made := 0;    -- the next time
	end;
	dropped := open.drop_history(before);
	return next;
end
$$;

-- What goes takes with it -------------------------------------------------------------------------------

create or replace function open.dag_versions_deleted() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	with gone as materialized (
		delete from open.executions e using deleted d where e.dag_version_id = d.id returning e.id
	), signals as (
		delete from open.signals s using gone g where s.execution_id = g.id
	), waits as (
		delete from open.waits w using gone g where w.execution_id = g.id
	), children as (
		delete from open.child_executions c using gone g where c.parent_id = g.id
	)
	delete from open.node_history h using gone g where h.execution_id = g.id;
	delete from open.execution_statistics s using deleted d
	 where s.subject_id = d.dag_id and not exists (select from open.dags a where a.id = d.dag_id)
	    or s.subject_id = d.organization_id and not exists (select from open.organizations o where o.id = d.organization_id);
	return null;
end
$$;

-- Walls ---------------------------------------------------------------------------------------------------

alter table open.execution_statistics enable row level security;
create policy organization on open.execution_statistics to open_server
	using (organization_id = (select open.actor_organization()));
create policy system on open.execution_statistics to open_system using (true);
grant select on open.execution_statistics to open_server;
grant select, insert, update on open.execution_statistics to open_system;
grant select on open.history_partitions to open_system;
revoke all on function open.drop_history(timestamptz), open.expire_history(timestamptz, integer),
	open.delete_finished(uuid[]), open.keep_history(integer, integer) from public;
grant execute on function open.drop_history(timestamptz), open.keep_history(integer, integer) to open_system;
