-- 0026_operations - the operations of GraphQL that an organization registered: with its setting registered_operations_only
-- nothing else is executed for it.

create table open.graphql_operations (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,
	sha256          text not null,
	name            text not null check (length(name) between 1 and 100),
	document        text not null check (octet_length(document) between 1 and 262144),
	created_by      uuid references open.users on delete set null,
	inserted_at     timestamptz not null default now(),
	constraint graphql_operations_hash check (sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
	constraint graphql_operations_sha256 unique (organization_id, sha256)
);
create index graphql_operations_inserted_at on open.graphql_operations (organization_id, inserted_at, id);
create index graphql_operations_name on open.graphql_operations (organization_id, name, id);
create index graphql_operations_created_by on open.graphql_operations (created_by);

-- Every request of a member asks whether its document is among them; only admins change them.
alter table open.graphql_operations enable row level security;
create policy organization on open.graphql_operations to open_server
	using (organization_id = (select open.actor_organization()));
create policy admins_add on open.graphql_operations as restrictive for insert to open_server
	with check ((select open.actor_is_admin()));
create policy admins_remove on open.graphql_operations as restrictive for delete to open_server
	using ((select open.actor_is_admin()));
create policy system on open.graphql_operations to open_system using (true);
grant select, insert, delete on open.graphql_operations to open_server, open_system;

create trigger audit_changed after insert or delete on open.graphql_operations for each row
	execute function open.audit_change('operation', 'organization_id', 'id', 'name,sha256');
