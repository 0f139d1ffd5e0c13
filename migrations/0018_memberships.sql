-- 0018_memberships - people belong to organizations: a user is one person with one address and one password, who has a
-- role in each organization that he is a member of.

create table open.memberships (
	organization_id uuid not null references open.organizations on delete cascade,
	user_id         uuid not null references open.users on delete cascade,
	role            text not null default 'user' check (role in ('user', 'admin')),
	deactivated_at  timestamptz,    -- he can't act in this organization
	inserted_at     timestamptz not null default now(),
	primary key (organization_id, user_id)
);
create index memberships_user_id on open.memberships (user_id);
insert into open.memberships (organization_id, user_id, role, inserted_at)
select organization_id, id, role, inserted_at from open.users;

alter table open.users add column confirmed_at timestamptz;      -- the address is his
alter table open.users add column deactivated_at timestamptz;    -- he can't act anywhere
alter table open.users alter column hashed_password drop not null;    -- null: he has set none yet
update open.users set confirmed_at = inserted_at;

-- Tokens and sessions go with the membership that they act by.
alter table open.api_tokens add constraint api_tokens_membership
	foreign key (organization_id, user_id) references open.memberships on delete cascade;
alter table open.sessions add constraint sessions_membership
	foreign key (organization_id, user_id) references open.memberships on delete cascade;

-- Who holds a token, as before: his role is that of the membership; nobody where he or it is deactivated.
create or replace function open.authenticate(hash bytea)
returns table (credential_id uuid, organization_id uuid, user_id uuid, role text, settings jsonb, expires_at timestamptz,
	last_used_at timestamptz, is_session boolean, scopes text[])
language sql stable security definer set search_path = open, pg_temp as $$
	select c.id, c.organization_id, c.user_id, m.role, o.settings, c.expires_at, c.last_used_at, c.is_session, c.scopes
	  from (select s.id, s.organization_id, s.user_id, s.expires_at, s.last_used_at, true as is_session, null::text[] as scopes
	          from open.sessions s
	         where s.token_hash = hash and s.revoked_at is null
	        union all
	        select t.id, t.organization_id, t.user_id, t.expires_at, t.last_used_at, false, t.scopes
	          from open.api_tokens t
	         where t.token_hash = hash and t.revoked_at is null) c
	  join open.memberships m on m.organization_id = c.organization_id and m.user_id = c.user_id
	  join open.users u on u.id = c.user_id
	  join open.organizations o on o.id = c.organization_id
	 where (c.expires_at is null or c.expires_at > now())
	   and m.deactivated_at is null
	   and u.deactivated_at is null
$$;

-- Who may do less, or nothing any more, is forgotten at once by every server that listens.
create function open.memberships_notify() returns trigger
language plpgsql as $$
begin
	perform open.forget_user(old.user_id);
	return null;
end
$$;
create trigger memberships_changed after update or delete on open.memberships
	for each row execute function open.memberships_notify();

-- Walls: a user is seen in the organizations that he is a member of.
alter table open.memberships enable row level security;
create policy organization on open.memberships to open_server
	using (organization_id = (select open.actor_organization()));
create policy system on open.memberships to open_system using (true);
grant select on open.memberships to open_server;
grant select, insert, update, delete on open.memberships to open_system;
drop policy organization on open.users;
create policy organization on open.users to open_server
	using (exists (select from open.memberships m
	                where m.user_id = users.id and m.organization_id = (select open.actor_organization())));
grant select (confirmed_at, deactivated_at) on open.users to open_server;
alter table open.users drop column organization_id;
alter table open.users drop column role;
