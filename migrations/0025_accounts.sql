-- 0025_accounts - what people do with their accounts: sign in, register, confirm, invite, accept; and what admins may
-- change of memberships and of their organization. Who is not signed in has no organization, so these statements are
-- functions that see no more than one address or one token leads to.

-- Members -------------------------------------------------------------------------------------------------

-- An organization keeps an admin: whoever would take away the last one is refused, also two at the same time.
create function open.memberships_keep_admin() returns trigger
language plpgsql security definer set search_path = open, pg_temp as $$
begin
	if old.role <> 'admin' or old.deactivated_at is not null then
		return null;
	end if;
	perform from open.organizations o where o.id = old.organization_id for no key update;
	if not found or not exists (select from open.users u where u.id = old.user_id) then
		return null;    -- it goes, or he does
	end if;
	if not exists (select from open.memberships m
	                where m.organization_id = old.organization_id and m.role = 'admin' and m.deactivated_at is null) then
		raise exception 'the last admin' using errcode = 'check_violation', constraint = 'memberships_last_admin';
	end if;
	return null;
end
$$;
create trigger memberships_keep_admin after update of role, deactivated_at or delete on open.memberships
	for each row execute function open.memberships_keep_admin();

grant update (role, deactivated_at), delete on open.memberships to open_server;
create policy admins_change on open.memberships as restrictive for update to open_server
	using ((select open.actor_is_admin()));
create policy admins_remove on open.memberships as restrictive for delete to open_server
	using ((select open.actor_is_admin()) or user_id = (select open.actor_user()));
grant update (name, updated_at) on open.users to open_server;
create policy oneself on open.users as restrictive for update to open_server
	using (id = (select open.actor_user()));
grant update (name, settings, compute_quota, storage_quota, updated_at) on open.organizations to open_server;
create policy admins on open.organizations as restrictive for update to open_server
	using ((select open.actor_is_admin()));

-- Sign-in -------------------------------------------------------------------------------------------------

-- What a password is compared with; no row: no such user, or one who can't sign in.
create function open.sign_in(address text) returns table (user_id uuid, hashed_password text)
language sql stable security definer set search_path = open, pg_temp as $$
	select u.id, u.hashed_password
	  from open.users u
	 where u.email = address and u.deactivated_at is null and u.confirmed_at is not null
$$;

-- The organizations that somebody may act in, the one of his latest session first.
create function open.organizations_of(member uuid)
returns table (organization_id uuid, slug text, name text, role text, turn bigint)
language sql stable security definer set search_path = open, pg_temp as $$
	select o.id, o.slug, o.name, m.role,
	       row_number() over (order by (select max(s.last_used_at) from open.sessions s
	                                     where s.user_id = member and s.organization_id = o.id) desc nulls last, m.inserted_at, o.id)
	  from open.memberships m
	  join open.organizations o on o.id = m.organization_id
	 where m.user_id = member and m.deactivated_at is null
$$;

-- The password was right: noted, and stored anew where it was weaker than today's. No row: it was changed meanwhile.
-- Else his organizations, and the one that he is to act in: as wanted, or the first.
create function open.signed_in(member uuid, stored text, upgraded text, wanted text)
returns table (organizations jsonb, organization_id uuid, role text)
language plpgsql volatile security definer set search_path = open, pg_temp as $$
#variable_conflict use_column
begin
	update open.users u
	   set last_sign_in = now()
	 where u.id = member and u.hashed_password = stored and u.deactivated_at is null;
	if not found then
		return;
	end if;
	if upgraded is not null then
		update open.users u set hashed_password = upgraded where u.id = member;
	end if;
	return query
		select coalesce((select jsonb_agg(jsonb_build_object('id', o.organization_id, 'slug', o.slug, 'name', o.name,
		                                  'role', o.role) order by o.turn) from open.organizations_of(member) o), '[]'),
		       c.organization_id, c.role
		  from (select) one
		  left join lateral (select * from open.organizations_of(member) o
		                      where wanted is null or o.slug = wanted
		                      order by o.turn limit 1) c on true;
end
$$;

-- Sessions of the actor in every organization end; how many. kept: one that doesn't, or null.
create function open.sessions_end(kept uuid) returns bigint
language sql volatile security definer set search_path = open, pg_temp as $$
	with ended as (
		update open.sessions s set revoked_at = now()
		 where s.user_id = open.actor_user() and s.revoked_at is null and s.id is distinct from kept
		returning 1
	)
	select count(*) from ended
$$;

-- Passwords -----------------------------------------------------------------------------------------------

create function open.own_password() returns text
language sql stable security definer set search_path = open, pg_temp as $$
	select u.hashed_password from open.users u where u.id = open.actor_user()
$$;
-- A new one for the actor, unless it was changed meanwhile (false); his other sessions end.
create function open.password_change(stored text, changed text) returns boolean
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	address text;
begin
	update open.users u set hashed_password = changed, updated_at = now()
	 where u.id = open.actor_user() and u.hashed_password = stored
	returning u.email into address;
	if not found then
		return false;
	end if;
	perform open.sessions_end(open.actor_credential());
	perform open.send_mail(address, 'password_changed');
	return true;
end
$$;

-- Registration --------------------------------------------------------------------------------------------

-- One mail of a kind to an address in five minutes: who asks often doesn't fill anybody's box.
create function open.mailed_lately(address text, kind text) returns boolean
language sql stable security definer set search_path = open, pg_temp as $$
	select exists (select from open.outbox o
	                where o.recipient = address and o.template = kind and o.inserted_at > now() - interval '5 minutes')
$$;
create index outbox_recipient on open.outbox (recipient, inserted_at);

-- A new user of that address, or what there is: its owner gets a mail, the stranger who asked learns nothing.
create function open.register(address text, called text) returns void
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	known open.users;
	kind text;
begin
	insert into open.users (email, name) values (address, called) on conflict (email) do nothing;
	select * into known from open.users u where u.email = address;
	kind := case when known.confirmed_at is null then 'confirmation' else 'already_registered' end;
	if known.deactivated_at is null and not open.mailed_lately(address, kind) then
		perform open.send_mail(address, kind);
	end if;
end
$$;

-- Whom a token confirms, while it can be used.
create function open.confirmation_of(hash bytea) returns table (user_id uuid, email text)
language sql stable security definer set search_path = open, pg_temp as $$
	select u.id, u.email
	  from open.user_tokens t
	  join open.users u on u.id = t.user_id
	 where t.token_hash = hash and t.kind = 'confirm' and t.used_at is null and t.expires_at > now()
	   and u.deactivated_at is null and u.confirmed_at is null
$$;

-- The address is his: he gets his password and, where asked, an organization of which he is the admin. Null: not any more.
create function open.confirm(hash bytea, stored text, organization_name text, organization_slug text) returns uuid
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	member uuid;
	made uuid;
begin
	update open.user_tokens t set used_at = now()
	 where t.token_hash = hash and t.kind = 'confirm' and t.used_at is null and t.expires_at > now()
	returning t.user_id into member;
	update open.users u set confirmed_at = now(), hashed_password = stored, updated_at = now()
	 where u.id = member and u.confirmed_at is null and u.deactivated_at is null;
	if not found then
		return null;
	end if;
	if organization_slug is not null then
		insert into open.organizations (name, slug) values (organization_name, organization_slug) returning id into made;
		insert into open.memberships (organization_id, user_id, role) values (made, member, 'admin');
	end if;
	return member;
end
$$;

-- Invitations ---------------------------------------------------------------------------------------------

create table open.invitations (
	id              uuid primary key default open.uuid_v7(),
	organization_id uuid not null references open.organizations on delete cascade,
	email           text not null check (email = lower(email) and length(email) <= 254),
	role            text not null check (role in ('user', 'admin')),
	token_hash      bytea unique check (length(token_hash) = 32),    -- SHA-256; null until the mail goes out
	invited_by      uuid references open.users on delete set null,
	expires_at      timestamptz not null,
	accepted_at     timestamptz,
	inserted_at     timestamptz not null default now()
);
-- Who is invited again gets another mail, and the token of the one before counts no more.
create unique index invitations_pending on open.invitations (organization_id, email) where accepted_at is null;
create index invitations_invited_by on open.invitations (invited_by);

alter table open.invitations enable row level security;
create policy organization on open.invitations to open_server
	using (organization_id = (select open.actor_organization()) and (select open.actor_is_admin()));
create policy system on open.invitations to open_system using (true);
grant select (id, organization_id, email, role, invited_by, expires_at, accepted_at, inserted_at), delete
	on open.invitations to open_server;
grant select, insert, update, delete on open.invitations to open_system;
create trigger audit_changed after insert or delete or update of email, role, expires_at, accepted_at on open.invitations
	for each row execute function open.audit_change('invitation', 'organization_id', 'id', 'email,role,expires_at',
	                                                'accepted_at:accept');

-- An invitation by the actor (an admin), and its mail; null: he whose address it is is a member already.
create function open.invite(address text, as_role text, good_for interval) returns uuid
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	made uuid;
	host open.organizations;
	inviter text;
	ends timestamptz := now() + good_for;
begin
	if not open.actor_is_admin() or open.actor_organization() is null then
		raise exception 'not an admin' using errcode = 'insufficient_privilege';
	end if;
	if exists (select from open.memberships m join open.users u on u.id = m.user_id
	            where m.organization_id = open.actor_organization() and u.email = address) then
		return null;
	end if;
	select * into host from open.organizations o where o.id = open.actor_organization();
	select coalesce(nullif(u.name, ''), u.email) into inviter from open.users u where u.id = open.actor_user();
	insert into open.invitations as i (organization_id, email, role, invited_by, expires_at)
	values (host.id, address, as_role, open.actor_user(), ends)
	on conflict (organization_id, email) where accepted_at is null
	do update set role = excluded.role, invited_by = excluded.invited_by, expires_at = excluded.expires_at,
	              token_hash = null, inserted_at = now()
	returning i.id into made;
	perform open.send_mail(address, 'invitation', jsonb_build_object('invitation', made, 'organization', host.name,
		'inviter', coalesce(inviter, 'An administrator'), 'expires', to_char(ends at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')));
	return made;
end
$$;

-- As before, and the token of an invitation.
create or replace function open.mail_token(mail open.outbox, reset bytea, confirm bytea, invitation bytea) returns boolean
language plpgsql volatile set search_path = open, pg_temp as $$
begin
	if mail.template = 'invitation' then
		update open.invitations i set token_hash = invitation
		 where i.id = (mail.data ->> 'invitation')::uuid and i.accepted_at is null and i.expires_at > now();
		return found;
	end if;
	if mail.template not in ('password_reset', 'confirmation') then
		return true;
	end if;
	insert into open.user_tokens (user_id, kind, token_hash, expires_at)
	select u.id, k.kind, k.hash, now() + k.span
	  from open.users u
	  join (values ('password_reset', 'reset', reset, interval '1 hour'),
	               ('confirmation', 'confirm', confirm, interval '3 days')) as k(template, kind, hash, span)
	    on k.template = mail.template
	 where u.email = mail.recipient and u.deactivated_at is null;
	return found;
end
$$;

-- What a token invites to, while it can be accepted. registered: whether its address has an account already.
create function open.invitation_of(hash bytea) returns table (id uuid, email text, registered boolean)
language sql stable security definer set search_path = open, pg_temp as $$
	select i.id, i.email, u.id is not null
	  from open.invitations i
	  left join open.users u on u.email = i.email and u.hashed_password is not null
	 where i.token_hash = hash and i.accepted_at is null and i.expires_at > now() and u.deactivated_at is null
$$;

-- A member more: he who has the address, or a new user with that password. Null: not any more.
create function open.invitation_accept(hash bytea, called text, stored text) returns table (user_id uuid, organization_id uuid)
language plpgsql volatile security definer set search_path = open, pg_temp as $$
#variable_conflict use_column
declare
	accepted open.invitations;
	member open.users;
begin
	update open.invitations i set accepted_at = now()
	 where i.token_hash = hash and i.accepted_at is null and i.expires_at > now()
	returning i.* into accepted;
	if not found then
		return;
	end if;
	insert into open.users (email, name) values (accepted.email, coalesce(called, '')) on conflict (email) do nothing;
	update open.users u
	   set hashed_password = coalesce(u.hashed_password, stored), confirmed_at = coalesce(u.confirmed_at, now()),
	       name = case when u.hashed_password is null and called is not null then called else u.name end
	 where u.email = accepted.email and u.deactivated_at is null
	returning u.* into member;
	if member.hashed_password is null then
		raise exception 'no password' using errcode = 'check_violation', constraint = 'invitations_password';
	end if;
	insert into open.memberships (organization_id, user_id, role)
	values (accepted.organization_id, member.id, accepted.role)
	on conflict (organization_id, user_id) do nothing;
	return query select member.id, accepted.organization_id;
end
$$;

revoke all on function open.memberships_keep_admin(), open.sign_in(text), open.organizations_of(uuid),
	open.signed_in(uuid, text, text, text), open.sessions_end(uuid), open.own_password(), open.password_change(text, text),
	open.mailed_lately(text, text), open.register(text, text), open.confirmation_of(bytea), open.confirm(bytea, text, text, text),
	open.invite(text, text, interval), open.invitation_of(bytea), open.invitation_accept(bytea, text, text) from public;
grant execute on function open.sign_in(text), open.signed_in(uuid, text, text, text), open.sessions_end(uuid),
	open.own_password(), open.password_change(text, text), open.register(text, text), open.confirmation_of(bytea),
	open.confirm(bytea, text, text, text), open.invite(text, text, interval), open.invitation_of(bytea),
	open.invitation_accept(bytea, text, text), open.organizations_of(uuid) to open_server, open_system;
