-- 0002_secrets - named values per organization, encrypted at rest.
--
-- The key is never in the database. ciphertext is what secret_box.h seals; organization and name are
-- authenticated with the value, so a row that was copied elsewhere does not open.

create table open.secrets (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,
	name            text not null check (name ~ '^[A-Za-z_][A-Za-z0-9_]{0,99}$'),
	ciphertext      bytea not null check (length(ciphertext) between 30 and 65565),
	key_id          text not null check (key_id ~ '^[0-9a-f]{16}$'),
	created_by      uuid references open.users on delete set null,
	inserted_at     timestamptz not null default now(),
	updated_at      timestamptz not null default now(),
	constraint secrets_name unique (organization_id, name)
);
create index secrets_inserted_at on open.secrets (organization_id, inserted_at, id);
create index secrets_updated_at on open.secrets (organization_id, updated_at, id);
create index secrets_created_by on open.secrets (created_by);
create index secrets_key_id on open.secrets (key_id);
alter table open.secrets alter column ciphertext set storage external;

-- Whoever holds a value in memory forgets it: the payload is organization and name.
create function open.secrets_notify() returns trigger
language plpgsql as $$
declare
	changed open.secrets := case when tg_op = 'DELETE' then old else new end;
begin
	perform pg_notify('open_secrets', changed.organization_id || ' ' || changed.name);
	return null;
end
$$;
create trigger secrets_changed after insert or update or delete on open.secrets
	for each row execute function open.secrets_notify();

-- Requests write values but have no way to read them, not even encrypted ones.
alter table open.secrets enable row level security;
create policy organization on open.secrets to open_server
	using (organization_id = (select open.actor_organization()));
create policy system on open.secrets to open_system using (true);
grant select (id, organization_id, name, key_id, created_by, inserted_at, updated_at), insert, update, delete
	on open.secrets to open_server;
grant select, insert, update, delete on open.secrets to open_system;
