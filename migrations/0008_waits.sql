-- 0008_waits - what running nodes wait for: signals to their execution, executions of other DAGs.

-- Signals: kept until a waiting node takes them. position is the order in which they were sent. No foreign key to the
-- execution: history goes by partition, and these go with it (open.drop_history).
create table open.signals (
	id              uuid primary key,
	organization_id uuid not null references open.organizations on delete cascade,
	execution_id    uuid not null,
	position        bigint not null generated always as identity,
	name            text not null check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
	value           json not null,
	delivered       boolean not null,             -- a node was waiting for it
	sent_by         uuid references open.users on delete set null,
	sent_at         timestamptz not null default clock_timestamp(),
	idempotency_key text check (length(idempotency_key) between 1 and 255),
	-- Who took it; a later attempt of the node gets it again.
	node            integer,
	element         integer,                      -- -1: the node has none
	attempt         integer,
	taken_node      text,
	taken_at        timestamptz,
	check (num_nonnulls(node, element, attempt, taken_node, taken_at) in (0, 5))
);
create unique index signals_taken on open.signals (execution_id, node, element) where node is not null;
create index signals_free on open.signals (execution_id, name, position) where node is null;
create unique index signals_key on open.signals (execution_id, idempotency_key) where idempotency_key is not null;
create index signals_execution on open.signals (organization_id, execution_id, id);
create index signals_sent_by on open.signals (sent_by);
alter table open.signals alter column value set compression lz4;

-- Nodes that wait for a signal now; told to who sends one. What they get stands in signals.
create table open.waits (
	execution_id    uuid not null,
	node            integer not null,
	element         integer not null,
	organization_id uuid not null references open.organizations on delete cascade,
	attempt         integer not null,
	name            text not null,
	since           timestamptz not null default now(),
	primary key (execution_id, node, element)
);
create index waits_organization_id on open.waits (organization_id);

-- Children: executions that a node of another one started. Exactly one for each attempt.
create table open.child_executions (
	parent_id       uuid not null,
	node            integer not null,
	element         integer not null,             -- -1: the node has none
	attempt         integer not null,
	child_id        uuid not null unique,
	organization_id uuid not null references open.organizations on delete cascade,
	primary key (parent_id, node, element, attempt)
);
create index child_executions_organization_id on open.child_executions (organization_id);
alter table open.executions
	add column parent_id uuid,
	add column parent_node text,                  -- the node's name
	add column depth smallint not null default 0; -- how many executions are above it
create index executions_parent_id on open.executions (parent_id, id) where parent_id is not null;

-- What goes with a version's executions.
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
	return null;
end
$$;

do $$
declare t text;
begin
	foreach t in array array['signals', 'waits', 'child_executions'] loop
		execute format('alter table open.%I enable row level security', t);
		execute format('create policy organization on open.%I to open_server
			using (organization_id = (select open.actor_organization()))', t);
		execute format('create policy system on open.%I to open_system using (true)', t);
		execute format('grant select, insert, update, delete on open.%I to open_system', t);
	end loop;
end
$$;
grant select on open.signals, open.waits, open.child_executions to open_server;
grant insert (id, organization_id, execution_id, name, value, delivered, sent_by, idempotency_key)
	on open.signals to open_server;
