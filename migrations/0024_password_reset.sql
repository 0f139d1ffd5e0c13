-- 0024_password_reset - a new password for who reads the mails to his address.

-- Somebody asks, for an address that need not be anybody's: the same row either way, so that nothing can be told from the
-- answer or its time. Whether there is such a user is looked at when the mail is to go out (open.mail_token).
create function open.password_reset_ask(address text) returns void
language sql volatile security definer set search_path = open, pg_temp as $$
	insert into open.outbox (recipient, template) values (lower(address), 'password_reset')
	on conflict (recipient) where template = 'password_reset' and sent_at is null and failed_at is null do nothing
$$;

-- Whether a token could be used now: asked before a password is hashed for it.
create function open.password_reset_usable(hash bytea) returns boolean
language sql stable security definer set search_path = open, pg_temp as $$
	select exists (select from open.user_tokens t join open.users u on u.id = t.user_id
	                where t.token_hash = hash and t.kind = 'reset' and t.used_at is null and t.expires_at > now()
	                  and u.deactivated_at is null)
$$;

-- Uses a token: the first who comes has used it up, and with it every other that its owner has. The password is set, all
-- his sessions end, he is told. False: it can't be used.
create function open.password_reset(hash bytea, stored text) returns boolean
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	owner uuid;
	address text;
begin
	-- Two tokens of one user are used one after the other: he is locked first.
	select u.id into owner
	  from open.users u
	 where u.id = (select t.user_id from open.user_tokens t where t.token_hash = hash and t.kind = 'reset')
	   and u.deactivated_at is null
	   for no key update;
	update open.user_tokens t set used_at = now()
	 where t.token_hash = hash and t.kind = 'reset' and t.user_id = owner and t.used_at is null and t.expires_at > now();
	if not found then
		return false;
	end if;
	update open.user_tokens t set used_at = now() where t.user_id = owner and t.kind = 'reset' and t.used_at is null;
	update open.users u
	   set hashed_password = stored, confirmed_at = coalesce(u.confirmed_at, now()), updated_at = now()
	 where u.id = owner
	returning u.email into address;
	update open.sessions s set revoked_at = now() where s.user_id = owner and s.revoked_at is null;
	perform open.send_mail(address, 'password_changed');
	return true;
end
$$;

revoke all on function open.password_reset_ask(text), open.password_reset_usable(bytea), open.password_reset(bytea, text)
	from public;
grant execute on function open.password_reset_ask(text), open.password_reset_usable(bytea), open.password_reset(bytea, text)
	to open_server, open_system;
