-- 0020_mail - mails that wait to be sent, and the tokens that some of them carry.
--
-- A statement that needs a mail calls open.send_mail in its own transaction; servers take what is due
-- (open.mail_claim), render the template and send it. No token stands in the database: the server that is about
-- to send a mail makes one, and only its SHA-256 comes here.

create table open.outbox (
	id          uuid primary key default open.uuid_v7(),
	recipient   text not null check (length(recipient) between 3 and 254),
	template    text not null check (length(template) between 1 and 64),      -- assets/mail/NAME.txt
	data        open.json_object not null default '{}',                       -- its placeholders; empty once it is sent
	attempts    open.tally not null default 0,
	next_at     timestamptz not null default now(),    -- when it is due; while one sends it: when others may
	inserted_at timestamptz not null default now(),
	sent_at     timestamptz,
	failed_at   timestamptz,                           -- given up
	error       text,                                  -- of the last attempt
	check (sent_at is null or failed_at is null)
);
create index outbox_due on open.outbox (next_at) where sent_at is null and failed_at is null;
create index outbox_failed on open.outbox (failed_at) where failed_at is not null;
create index outbox_sent on open.outbox (sent_at) where sent_at is not null;
-- Who asks again while a mail waits gets one mail.
create unique index outbox_reset on open.outbox (recipient)
	where template = 'password_reset' and sent_at is null and failed_at is null;

create function open.outbox_notify() returns trigger
language plpgsql as $$
begin
	perform pg_notify('open_outbox', '');
	return null;
end
$$;
create trigger outbox_filled after insert on open.outbox
	for each statement execute function open.outbox_notify();

create table open.user_tokens (
	id         uuid primary key default open.uuid_v7(),
	user_id    uuid not null references open.users on delete cascade,
	kind       text not null check (kind in ('reset', 'confirm')),
	token_hash bytea not null unique check (length(token_hash) = 32),    -- SHA-256 of the token
	expires_at timestamptz not null,
	used_at    timestamptz,
	inserted_at timestamptz not null default now()
);
create index user_tokens_user_id on open.user_tokens (user_id, kind);
create index user_tokens_expires_at on open.user_tokens (expires_at);

-- Neither table belongs to an organization: requests reach them through the functions below alone.
alter table open.outbox enable row level security;
alter table open.user_tokens enable row level security;
create policy system on open.outbox to open_system using (true);
create policy system on open.user_tokens to open_system using (true);
grant select, insert, update, delete on open.outbox, open.user_tokens to open_system;

-- Puts a mail into the outbox; its id. data: texts for the template's placeholders.
create function open.send_mail(recipient text, template text, data jsonb default '{}') returns uuid
language sql volatile security definer set search_path = open, pg_temp as $$
	insert into open.outbox (recipient, template, data) values (recipient, template, data) returning id
$$;

-- What a mail must have before it is sent: for templates with a token the row that makes the token count. Given are the
-- SHA-256 of three that were just made, one of each kind. False: nobody is to get this mail (any more).
create function open.mail_token(mail open.outbox, reset bytea, confirm bytea, invitation bytea) returns boolean
language plpgsql volatile set search_path = open, pg_temp as $$
begin
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

-- Takes mails that are due; nobody else takes them before the lease has ended. hashes: three for each mail, as
-- open.mail_token wants them. place: whose hashes, from 1.
create function open.mail_claim(hashes bytea[], lease interval)
returns table (place integer, id uuid, recipient text, template text, data jsonb, attempts integer, age interval)
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	mail open.outbox;
begin
	place := 0;
	for mail in
		select * from open.outbox o
		 where o.sent_at is null and o.failed_at is null and o.next_at <= now()
		 order by o.next_at
		 limit cardinality(hashes) / 3
		   for update skip locked
	loop
		place := place + 1;
		if not open.mail_token(mail, hashes[place * 3 - 2], hashes[place * 3 - 1], hashes[place * 3]) then
			delete from open.outbox o where o.id = mail.id;
			continue;
		end if;
		update open.outbox o set attempts = mail.attempts + 1, next_at = now() + lease where o.id = mail.id;
		id := mail.id;
		recipient := mail.recipient;
		template := mail.template;
		data := mail.data;
		attempts := mail.attempts + 1;
		age := now() - mail.inserted_at;
		return next;
	end loop;
end
$$;

-- Sent mails are kept for a while without what they said, failed ones longer; tokens until nobody can use them.
create function open.mail_forget() returns integer
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	n integer;
begin
	delete from open.user_tokens t where t.expires_at < now() - interval '1 day';
	delete from open.outbox o where o.sent_at < now() - interval '7 days' or o.failed_at < now() - interval '30 days';
	get diagnostics n = row_count;
	return n;
end
$$;

revoke all on function open.send_mail(text, text, jsonb), open.mail_token(open.outbox, bytea, bytea, bytea),
	open.mail_claim(bytea[], interval), open.mail_forget() from public;
grant execute on function open.send_mail(text, text, jsonb) to open_server, open_system;
grant execute on function open.mail_claim(bytea[], interval), open.mail_forget() to open_system;
