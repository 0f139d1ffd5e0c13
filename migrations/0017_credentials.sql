-- 0017_credentials - sessions beside API tokens; scopes, use and prefix of tokens; what makes servers forget them.

create domain open.scopes as text[] check (
	cardinality(value) > 0 and value <@ array['read', 'execute', 'write', 'admin'] and array_position(value, null) is null);

alter table open.api_tokens
	add column scopes open.scopes not null default '{read,execute,write,admin}',
	add column prefix text not null default '' check (length(prefix) <= 16),    -- how the token begins: enough to know it by
	add column last_used_at timestamptz;    -- to the minute

create table open.sessions (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,    -- in which it acts
	user_id         uuid not null references open.users on delete cascade,
	token_hash      bytea not null unique check (length(token_hash) = 32),    -- SHA-256 of the token
	address         inet,
	user_agent      text not null default '' check (length(user_agent) <= 400),
	inserted_at     timestamptz not null default now(),
	last_used_at    timestamptz not null default now(),    -- to the minute
	expires_at      timestamptz not null,    -- moves ahead while it is used
	revoked_at      timestamptz
);
create index sessions_user_id on open.sessions (user_id);
create index sessions_organization_id on open.sessions (organization_id);
create index sessions_expires_at on open.sessions (expires_at);

alter table open.sessions enable row level security;
create policy organization on open.sessions to open_server using (organization_id = (select open.actor_organization()));
create policy system on open.sessions to open_system using (true);
grant select, insert, update, delete on open.sessions to open_system;
grant select (id, organization_id, user_id, address, user_agent, inserted_at, last_used_at, expires_at, revoked_at)
	on open.sessions to open_server;
grant update (revoked_at) on open.sessions to open_server;
grant select (id, organization_id, user_id, name, scopes, prefix, last_used_at, expires_at, revoked_at, inserted_at)
	on open.api_tokens to open_server;
grant insert (organization_id, user_id, name, token_hash, scopes, prefix, expires_at) on open.api_tokens to open_server;
grant update (revoked_at) on open.api_tokens to open_server;

-- What servers know of credentials they forget when it is told here: the SHA-256 of a token in hex, or 'user ID' for all
-- that speak for one. Being used changes nothing that they know.
create or replace function open.api_tokens_notify() returns trigger
language plpgsql as $$
begin
	perform pg_notify('open_tokens', encode(old.token_hash, 'hex'));
	return null;
end
$$;
drop trigger api_tokens_changed on open.api_tokens;
create trigger api_tokens_changed after update of revoked_at, scopes, user_id, organization_id, token_hash on open.api_tokens
	for each row execute function open.api_tokens_notify();
create trigger api_tokens_shortened after update of expires_at on open.api_tokens
	for each row when (new.expires_at is distinct from old.expires_at) execute function open.api_tokens_notify();
create trigger api_tokens_deleted after delete on open.api_tokens
	for each row execute function open.api_tokens_notify();
create trigger sessions_changed after update of revoked_at, user_id, organization_id, token_hash on open.sessions
	for each row execute function open.api_tokens_notify();
create trigger sessions_shortened after update of expires_at on open.sessions
	for each row when (new.expires_at < old.expires_at) execute function open.api_tokens_notify();
create trigger sessions_deleted after delete on open.sessions
	for each row execute function open.api_tokens_notify();

create function open.forget_user(id uuid) returns void
language sql as $$
	select pg_notify('open_tokens', 'user ' || id::text)
$$;
create function open.users_notify() returns trigger
language plpgsql as $$
begin
	if to_jsonb(new) - 'last_sign_in' - 'updated_at' is distinct from to_jsonb(old) - 'last_sign_in' - 'updated_at' then
		perform open.forget_user(old.id);
	end if;
	return null;
end
$$;
create trigger users_changed after update on open.users
	for each row execute function open.users_notify();

-- A new session; its id. Nobody is signed in yet, so this is not the actor's statement.
create function open.session_create(member uuid, organization uuid, hash bytea, lifetime interval, address text, agent text)
returns uuid
language sql volatile security definer set search_path = open, pg_temp as $$
	insert into open.sessions (user_id, organization_id, token_hash, expires_at, address, user_agent)
	values (member, organization, hash, now() + lifetime, nullif(address, '')::inet, left(agent, 400))
	returning id
$$;

-- Who holds a token; the only way across organizations that open_server has. No row: no such token,
-- or it is expired or revoked, or its organization is gone. scopes: null: all (sessions).
drop function open.authenticate(bytea);
create function open.authenticate(hash bytea)
returns table (credential_id uuid, organization_id uuid, user_id uuid, role text, settings jsonb, expires_at timestamptz,
	last_used_at timestamptz, is_session boolean, scopes text[])
language sql stable security definer set search_path = open, pg_temp as $$
	select c.id, c.organization_id, c.user_id, u.role, o.settings, c.expires_at, c.last_used_at, c.is_session, c.scopes
	  from (select s.id, s.organization_id, s.user_id, s.expires_at, s.last_used_at, true as is_session, null::text[] as scopes
	          from open.sessions s
	         where s.token_hash = hash and s.revoked_at is null
	        union all
	        select t.id, t.organization_id, t.user_id, t.expires_at, t.last_used_at, false, t.scopes
	          from open.api_tokens t
	         where t.token_hash = hash and t.revoked_at is null) c
	  join open.users u on u.id = c.user_id
	  join open.organizations o on o.id = c.organization_id
	 where c.expires_at is null or c.expires_at > now()
$$;
revoke all on function open.authenticate(bytea), open.session_create(uuid, uuid, bytea, interval, text, text) from public;
grant execute on function open.authenticate(bytea) to open_server, open_system;
grant execute on function open.session_create(uuid, uuid, bytea, interval, text, text) to open_server;
