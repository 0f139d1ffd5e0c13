-- 0014_limits - what an organization may use at once and in all, and what it has used.

-- Servers hear of an organization's new settings and quotas at once.
create function open.organizations_notify() returns trigger
language plpgsql as $$
begin
	perform pg_notify('open_organizations', old.id::text);
	return null;
end
$$;
create trigger organizations_changed after update of settings, compute_quota, storage_quota on open.organizations
	for each row execute function open.organizations_notify();

-- The pools that a definition names.
create function open.definition_pools(definition jsonb) returns text[]
language sql immutable parallel safe as $$
	select coalesce(array_agg(distinct n ->> 'pool') filter (where n ? 'pool'), '{}')
	  from jsonb_array_elements(definition -> 'nodes') n
$$;
alter table open.dag_versions add column pools text[] not null
	generated always as (open.definition_pools(definition)) stored;

-- The first of them that the organization does not have; null: it has them all.
create function open.pool_unknown(organization uuid, pools text[]) returns text
language sql stable parallel safe as $$
	select p.name
	  from unnest(pools) as p(name)
	 where not exists (select from open.organizations o where o.id = organization and o.settings -> 'pools' ? p.name)
	 order by p.name
	 limit 1
$$;

-- Charged when an execution ends, to the month in which it was created; '1970-01-01': what does not belong to a month
-- (definitions). Each worker has rows of its own (shard), so that none waits for another; whoever reads adds them up.
create table open.usage (
	organization_id uuid not null,
	month           date not null,
	shard           smallint not null,
	cpu_us          bigint not null default 0,
	executions      bigint not null default 0,
	bytes           bigint not null default 0,
	primary key (organization_id, month, shard)
) with (fillfactor = 50);
alter table open.usage enable row level security;
create policy organization on open.usage to open_server
	using (organization_id = (select open.actor_organization()));
create policy system on open.usage to open_system using (true);
grant select on open.usage to open_server;
grant select, insert, update, delete on open.usage to open_system;

create function open.usage_forget() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	delete from open.usage u where u.organization_id = old.id;
	return null;
end
$$;
create trigger organizations_gone after delete on open.organizations
	for each row execute function open.usage_forget();

create function open.usage_month(at timestamptz) returns date
language sql immutable strict parallel safe as $$
	select date_trunc('month', at at time zone 'UTC')::date
$$;

-- Definitions and their plans.
create function open.usage_definitions() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
declare
	grown bigint := case when tg_op = 'DELETE' then 0
	                     else octet_length(new.definition::text) + coalesce(octet_length(new.plan), 0) end
	              - case when tg_op = 'INSERT' then 0
	                     else octet_length(old.definition::text) + coalesce(octet_length(old.plan), 0) end;
begin
	if tg_op = 'DELETE' then
		update open.usage u set bytes = u.bytes + grown
		 where u.organization_id = old.organization_id and u.month = '1970-01-01' and u.shard = 0;
	else
		insert into open.usage as u (organization_id, month, shard, bytes)
		values (new.organization_id, '1970-01-01', 0, grown)
		on conflict (organization_id, month, shard) do update set bytes = u.bytes + excluded.bytes;
	end if;
	return null;
end
$$;
create trigger dag_versions_usage after insert or delete or update of plan on open.dag_versions
	for each row execute function open.usage_definitions();
insert into open.usage (organization_id, month, shard, bytes)
select v.organization_id, '1970-01-01', 0, sum(octet_length(v.definition::text) + coalesce(octet_length(v.plan), 0))
  from open.dag_versions v
 group by v.organization_id;

-- Of whom the journal charges: microseconds of CPU; bytes of context, results, errors and logs.
alter table open.executions add column cpu_us bigint not null default 0;
alter table open.executions add column stored_bytes bigint not null default 0;

create view open.organization_usage with (security_invoker = true) as
select o.id as organization_id,
       coalesce(sum(u.cpu_us) filter (where u.month = open.usage_month(now())), 0)::bigint as cpu_us,
       coalesce(sum(u.executions) filter (where u.month = open.usage_month(now())), 0)::bigint as executions,
       coalesce(sum(u.executions), 0)::bigint as total_executions,
       coalesce(sum(u.bytes), 0)::bigint as bytes
  from open.organizations o
  left join open.usage u on u.organization_id = o.id
 group by o.id;
grant select on open.organization_usage to open_server, open_system;

-- Which quotas an organization has used up: 1 compute (CPU hours of this month), 2 storage (GB of 10^9 bytes).
create function open.quota_exceeded(organization uuid) returns integer
language sql stable security definer set search_path = open, pg_temp as $$
	select coalesce((u.cpu_us >= o.compute_quota * 3600000000::bigint)::integer, 0)
	     + coalesce((u.bytes >= o.storage_quota * 1000000000::bigint)::integer, 0) * 2
	  from open.organizations o
	  join open.organization_usage u on u.organization_id = o.id
	 where o.id = organization
$$;
revoke all on function open.quota_exceeded(uuid) from public;
grant execute on function open.quota_exceeded(uuid) to open_server, open_system;

-- History that goes takes its bytes along: row by row, and where a partition is dropped.
create function open.executions_gone() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	insert into open.usage as u (organization_id, month, shard, bytes)
	select g.organization_id, open.usage_month(open.uuid_time(g.id)), 0, -sum(g.stored_bytes)
	  from gone g
	 where g.stored_bytes > 0 and exists (select from open.organizations o where o.id = g.organization_id)
	 group by 1, 2
	 order by 1, 2
	on conflict (organization_id, month, shard) do update set bytes = u.bytes + excluded.bytes;
	return null;
end
$$;
create trigger executions_gone after delete on open.executions referencing old table as gone
	for each statement execute function open.executions_gone();

create function open.usage_dropped(part regclass) returns void
language plpgsql set search_path = open, pg_temp as $$
begin
	execute format('insert into open.usage as u (organization_id, month, shard, bytes)
		select e.organization_id, open.usage_month(open.uuid_time(e.id)), 0, -sum(e.stored_bytes)
		  from %s e
		 group by 1, 2
		 order by 1, 2
		on conflict (organization_id, month, shard) do update set bytes = u.bytes + excluded.bytes', part);
end
$$;

create or replace function open.drop_history(before timestamptz) returns integer
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
		if old.parent = 'open.executions_finished'::regclass then
			perform open.usage_dropped(old.part);
		end if;
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
