-- 0001_schema - organizations, people, DAGs and their versions, executions and node history.
--
-- Runs as the owner role. The server works as open_server (row-level security by organization) and
-- open_system (the journal, recovery and token look-up: all organizations); neither owns anything.
-- Ids are UUIDv7 (RFC 9562), so they sort by time, and a range of ids is a range of time:
-- executions and node_history are partitioned by it and old history is dropped by partition.

do $$
begin
	if not exists (select from pg_roles where rolname = 'open_server') then
		create role open_server nologin;
	end if;
	if not exists (select from pg_roles where rolname = 'open_system') then
		create role open_system nologin;
	end if;
end
$$;
do $$
begin
	if not (pg_has_role('open_server', 'member') and pg_has_role('open_system', 'member')) then
		grant open_server, open_system to current_user;
	end if;
end
$$;
grant usage on schema open to open_server, open_system;
grant select on open.migrations to open_server, open_system;    -- made by the runner of migrations

-- Ids ------------------------------------------------------------------------------------------

-- The smallest UUIDv7 of an instant (millisecond resolution): bounds of partitions and of ranges.
create function open.uuid_floor(at timestamptz) returns uuid
language sql immutable strict parallel safe as $$
	select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

create function open.uuid_v7() returns uuid
language sql volatile parallel safe as $$
	select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0')
	    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

-- A node execution's id is its execution's id, whose last 32 bits are zero, with the node's index + 1
-- in those bits; see uuid.h.
create function open.node_execution_id(execution uuid, node integer) returns uuid
language sql immutable strict parallel safe as $$
	select (left(execution::text, 28) || lpad(to_hex(node + 1), 8, '0'))::uuid
$$;

-- The organization that the current statement acts in; nothing is visible where none is set.
create function open.actor_organization() returns uuid
language sql stable parallel safe as $$
	select nullif(current_setting('open.organization', true), '')::uuid
$$;

-- People and organizations -------------------------------------------------------------------

create table open.organizations (
	id            uuid primary key default open.uuid_v7(),
	name          text not null unique check (name <> '' and length(name) <= 200),
	slug          text not null unique check (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
	settings      jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
	compute_quota integer check (compute_quota >= 0),    -- CPU hours; null: unlimited
	storage_quota integer check (storage_quota >= 0),    -- GB; null: unlimited
	inserted_at   timestamptz not null default now(),
	updated_at    timestamptz not null default now()
);

create table open.users (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,
	email           text not null check (email = lower(email) and email like '%_@_%' and length(email) <= 254),
	hashed_password text not null,
	name            text not null default '' check (length(name) <= 200),
	role            text not null default 'user' check (role in ('user', 'admin')),
	last_sign_in    timestamptz,
	inserted_at     timestamptz not null default now(),
	updated_at      timestamptz not null default now(),
	unique (email)
);
create index users_organization_id on open.users (organization_id);

create table open.api_tokens (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,
	user_id         uuid not null references open.users on delete cascade,
	name            text not null default '' check (length(name) <= 200),
	token_hash      bytea not null unique check (length(token_hash) = 32),    -- SHA-256 of the token
	expires_at      timestamptz,
	revoked_at      timestamptz,
	inserted_at     timestamptz not null default now()
);
create index api_tokens_user_id on open.api_tokens (user_id);

-- A token that changes is forgotten at once by every server that listens.
create function open.api_tokens_notify() returns trigger
language plpgsql as $$
begin
	perform pg_notify('open_tokens', encode(old.token_hash, 'hex'));
	return null;
end
$$;
create trigger api_tokens_changed after update or delete on open.api_tokens
	for each row execute function open.api_tokens_notify();

-- DAGs -----------------------------------------------------------------------------------------

create table open.dags (
	id                uuid primary key default open.uuid_v7(),
	organization_id   uuid not null references open.organizations on delete cascade,
	name              text not null check (name <> '' and length(name) <= 200),
	description       text not null default '',
	status            text not null default 'draft' check (status in ('draft', 'active', 'archived')),
	version           integer not null default 1 check (version > 0),    -- the newest version's number
	active_version_id uuid,
	created_by        uuid references open.users on delete set null,
	inserted_at       timestamptz not null default now(),
	updated_at        timestamptz not null default now(),
	deleted_at        timestamptz,
	unique (id, organization_id),    -- what a version refers to
	check (status <> 'active' or active_version_id is not null)
);
create unique index dags_name on open.dags (organization_id, name) where deleted_at is null;
create index dags_status on open.dags (organization_id, status) where deleted_at is null;
create index dags_inserted_at on open.dags (organization_id, inserted_at, id) where deleted_at is null;
create index dags_updated_at on open.dags (organization_id, updated_at, id) where deleted_at is null;
create index dags_created_by on open.dags (created_by);

-- The ops that a definition names: what a start must be allowed.
create function open.definition_ops(definition jsonb) returns text[]
language sql immutable parallel safe as $$
	select coalesce(array_agg(distinct n ->> 'op') filter (where n ? 'op'), '{}')
	  from jsonb_array_elements(definition -> 'nodes') n
$$;

create table open.dag_versions (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null,
	dag_id          uuid not null,
	number          integer not null check (number > 0),
	definition      jsonb not null,                                   -- canonical form, see document.h
	definition_hash bytea not null check (length(definition_hash) = 32),    -- SHA-256 of the canonical bytes
	node_names      text[] not null,                                  -- by node index, as in the plan
	node_count      integer not null generated always as (cardinality(node_names)) stored,
	ops             text[] not null generated always as (open.definition_ops(definition)) stored,
	durability      text not null generated always as (coalesce(definition ->> 'durability', 'batch')) stored,
	plan            bytea,                                            -- set by the first activation, see plan.h
	plan_hash       bytea check (length(plan_hash) = 32),             -- SHA-256 of plan
	created_by      uuid references open.users on delete set null,
	inserted_at     timestamptz not null default now(),
	foreign key (dag_id, organization_id) references open.dags (id, organization_id) on delete cascade,
	unique (dag_id, number),
	unique (id, dag_id, organization_id),    -- what an execution refers to
	check ((plan is null) = (plan_hash is null))
);
create index dag_versions_organization_id on open.dag_versions (organization_id);
alter table open.dag_versions alter column plan set compression lz4;
alter table open.dag_versions alter column definition set compression lz4;
alter table open.dag_versions alter column node_names set compression lz4;
alter table open.dags add foreign key (active_version_id) references open.dag_versions
	on delete set null deferrable initially deferred;

-- Only the plan of a version may ever change: it is derived from the definition.
create function open.dag_versions_immutable() returns trigger
language plpgsql as $$
begin
	if (new.dag_id, new.number, new.definition, new.definition_hash, new.organization_id)
	    is distinct from (old.dag_id, old.number, old.definition, old.definition_hash, old.organization_id) then
		raise exception 'a DAG version is immutable' using errcode = 'restrict_violation';
	end if;
	return new;
end
$$;
create trigger dag_versions_immutable
	before update of dag_id, number, definition, definition_hash, organization_id on open.dag_versions
	for each row execute function open.dag_versions_immutable();

-- Of the ops that need a permission (ops[i] the setting settings[i]), those that the organization refuses.
create function open.ops_refused(organization uuid, ops text[], settings text[]) returns text[]
language sql stable parallel safe as $$
	select coalesce(array_agg(p.op), '{}')
	  from unnest(ops, settings) as p(op, setting)
	 where not exists (select from open.organizations o
	                    where o.id = organization and o.settings -> p.setting = 'true')
$$;

-- Executions -------------------------------------------------------------------------------------

-- Domains, not check constraints: PostgreSQL reads the constraints of a table anew for every statement, the
-- nine of executions took longer than the rest of an insert; those of domains it keeps.
create domain open.execution_id as uuid check (value::text like '%00000000');
create domain open.execution_status as text check (value in ('pending', 'running', 'success', 'failed', 'cancelled'));
create domain open.tally as integer check (value >= 0);
create domain open.json_object as jsonb check (jsonb_typeof(value) = 'object');

-- One foreign key ties an execution to its version, DAG and organization, which belong together; each of them
-- takes its executions with it.
create table open.executions (
	id                  open.execution_id not null,
	organization_id     uuid not null,
	dag_id              uuid not null,
	dag_version_id      uuid not null,
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
	triggered_by        uuid references open.users on delete set null,
	metadata            open.json_object not null default '{}',
	primary key (id),
	foreign key (dag_version_id, dag_id, organization_id)
		references open.dag_versions (id, dag_id, organization_id) on delete cascade,
	check (completed_at is null or status not in ('pending', 'running'))
) partition by range (id);
create index executions_organization on open.executions (organization_id, id desc);
create index executions_dag_id on open.executions (dag_id, id desc);
create index executions_dag_version_id on open.executions (dag_version_id, id desc);
create index executions_status on open.executions (organization_id, status, id desc);
create index executions_unfinished on open.executions (server_id) where status in ('pending', 'running');
create index executions_started_at on open.executions (organization_id, (coalesce(started_at, 'infinity')), id);
create index executions_triggered_by on open.executions (triggered_by, id desc);
create table open.executions_default partition of open.executions default;

-- One row a flush: element i of every array tells of the same node completion. Times are microseconds
-- after started_at of the row. An array that would hold only nulls is null.
create table open.node_history (
	execution_id    uuid not null references open.executions on delete cascade,
	first           open.tally not null,                   -- how many completions earlier rows hold
	organization_id uuid not null,
	base_at         timestamptz not null,                  -- the time that started and completed count from
	nodes           integer[] not null,                    -- node index in the version
	states          "char"[] not null,                     -- s success, f failed, k skipped, c cancelled
	attempts        smallint[],                            -- null: every node took one attempt
	started         bigint[] not null,                     -- microseconds after base_at
	completed       bigint[] not null,
	results         text[],                                -- JSON
	errors          text[],
	logs            text[],
	primary key (execution_id, first)
) partition by range (execution_id);
alter table open.node_history
	alter column nodes set compression lz4, alter column states set compression lz4,
	alter column attempts set compression lz4, alter column started set compression lz4,
	alter column completed set compression lz4, alter column results set compression lz4,
	alter column errors set compression lz4, alter column logs set compression lz4;
create table open.node_history_default partition of open.node_history default;

-- The unit in which the journal hands rows to node_history: one binary parameter for a whole flush.
create type open.node_history_entry as (
	execution_id uuid, first integer, organization_id uuid, base_at timestamptz,
	nodes integer[], states "char"[], attempts smallint[], started bigint[], completed bigint[],
	results text[], errors text[], logs text[]
);

-- The specification's NodeExecution rows. A node without history is pending; of executions that keep their
-- history in memory (durability memory) nothing is known of the nodes, so there are no rows.
create view open.node_executions with (security_invoker = true) as
select open.node_execution_id(e.id, n.node) as id,
       e.id as execution_id,
       e.organization_id,
       n.node as node_index,
       n.name as node_name,
       coalesce(h.status, 'pending') as status,
       h.started_at,
       h.completed_at,
       h.result,
       h.error,
       h.log,
       coalesce(h.attempt, 1) - 1 as retry_count
  from open.executions e
  join open.dag_versions v on v.id = e.dag_version_id
 cross join lateral (select u.name, (u.position - 1)::integer as node
                       from unnest(v.node_names) with ordinality as u(name, position)) n
  left join lateral (
	select c.node,
	       case c.state when 's' then 'success' when 'f' then 'failed' when 'k' then 'skipped'
	                    when 'c' then 'cancelled' end as status,
	       r.base_at + c.started * interval '1 microsecond' as started_at,
	       r.base_at + c.completed * interval '1 microsecond' as completed_at,
	       c.result::jsonb as result, c.error, c.log, c.attempt::integer as attempt
	  from open.node_history r
	 cross join lateral unnest(r.nodes, r.states, r.attempts, r.started, r.completed, r.results, r.errors, r.logs)
	       as c(node, state, attempt, started, completed, result, error, log)
	 where r.execution_id = e.id) h on h.node = n.node
 where v.durability <> 'memory';

-- Partitions: one a month, made ahead of time by whoever migrates or starts a server.
create function open.ensure_partitions(ahead interval default '3 months') returns integer
language plpgsql security definer set search_path = open, pg_temp as $$
declare
	month timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
	parent text;
	made integer := 0;
	part text;
begin
	perform pg_advisory_xact_lock(hashtext('open.ensure_partitions'));
	while month <= now() + ahead loop
		foreach parent in array array['executions', 'node_history'] loop
			part := parent || '_' || to_char(month at time zone 'UTC', 'YYYY_MM');
			if to_regclass('open.' || part) is null then
				execute format('create table open.%I partition of open.%I for values from (%L) to (%L)',
				    part, parent, open.uuid_floor(month),
				    open.uuid_floor((month at time zone 'UTC' + interval '1 month') at time zone 'UTC'));
				made := made + 1;
			end if;
		end loop;
		month := (month at time zone 'UTC' + interval '1 month') at time zone 'UTC';
	end loop;
	return made;
end
$$;
select open.ensure_partitions();

-- Forgets executions that were created before a time: whole months only, as partitions.
create function open.drop_history(before timestamptz) returns integer
language plpgsql set search_path = open, pg_temp as $$
declare
	parent text;
	part record;
	dropped integer := 0;
begin
	perform pg_advisory_xact_lock(hashtext('open.ensure_partitions'));
	-- node_history first: it refers to executions
	foreach parent in array array['node_history', 'executions'] loop
		for part in
			select c.relname, to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month' as ends
			  from pg_inherits i join pg_class c on c.oid = i.inhrelid
			 where i.inhparent = ('open.' || parent)::regclass and c.relname ~ '_\d{4}_\d\d$'
		loop
			continue when part.ends at time zone 'UTC' > before;
			execute format('alter table open.%I detach partition open.%I', parent, part.relname);
			execute format('drop table open.%I', part.relname);
			dropped := dropped + 1;
		end loop;
	end loop;
	return dropped;
end
$$;

-- Who holds a token; the only way across organizations that open_server has. No row: no such token,
-- or it is expired or revoked, or its organization is gone.
create function open.authenticate(hash bytea)
returns table (token_id uuid, organization_id uuid, user_id uuid, role text, settings jsonb, expires_at timestamptz)
language sql stable security definer set search_path = open, pg_temp as $$
	select t.id, t.organization_id, t.user_id, u.role, o.settings, t.expires_at
	  from open.api_tokens t
	  join open.users u on u.id = t.user_id
	  join open.organizations o on o.id = t.organization_id
	 where t.token_hash = hash
	   and t.revoked_at is null
	   and (t.expires_at is null or t.expires_at > now())
$$;
revoke all on function open.authenticate(bytea), open.ensure_partitions(interval) from public;
grant execute on function open.authenticate(bytea), open.ensure_partitions(interval) to open_server, open_system;

-- Walls ------------------------------------------------------------------------------------------

do $$
declare t text;
begin
	foreach t in array array['users', 'api_tokens', 'dags', 'dag_versions', 'executions', 'node_history'] loop
		execute format('alter table open.%I enable row level security', t);
		execute format('create policy organization on open.%I to open_server
			using (organization_id = (select open.actor_organization()))', t);
		execute format('create policy system on open.%I to open_system using (true)', t);
		execute format('grant select, insert, update on open.%I to open_system', t);
	end loop;
end
$$;
-- Requests may do no more than they need: they read no secret, and history and outcomes are the journal's.
grant select (id, organization_id, email, name, role, last_sign_in, inserted_at, updated_at) on open.users to open_server;
grant select, insert, update on open.dags to open_server;
grant select, insert, update (plan, plan_hash) on open.dag_versions to open_server;
grant select, insert, update (cancel_requested_at) on open.executions to open_server;
grant select on open.node_history to open_server;
alter table open.organizations enable row level security;
create policy organization on open.organizations to open_server using (id = (select open.actor_organization()));
create policy system on open.organizations to open_system using (true);
grant select on open.organizations to open_server, open_system;
grant insert, update on open.organizations to open_system;
grant select on open.node_executions to open_server, open_system;
