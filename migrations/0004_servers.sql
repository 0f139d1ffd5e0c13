-- 0004_servers - who works on this database: leases and epochs.
--
-- A server that starts raises its epoch, and holds a lease that it renews every few seconds. One whose lease is over
-- is ended by any other: its epoch is raised, and its unfinished executions are anybody's. Whatever a server writes
-- as the owner of executions asks for its epoch first (open.fence), so nothing of a server that was ended is written.
-- Only the database's clock counts.
--
-- Locks: of each server one advisory lock for transactions. Shared: "it stays what it is until I commit" (the fence;
-- whoever takes executions of one that has ended). Exclusive: begin and end of an epoch; whoever holds it waits for
-- nothing else. Advisory, because a row lock on every batch of the journal would write the row.

create table open.servers (
	id          uuid primary key,
	epoch       bigint not null default 1,
	started_at  timestamptz not null default now(),    -- this epoch
	steady_at   timestamptz not null default now(),    -- since when its lease was never over
	lease       interval not null check (lease > interval '0'),
	lease_until timestamptz not null,
	ended_at    timestamptz,                           -- of the epoch; null: it works, as far as anybody knows
	version     text not null default '',
	host        text not null default '',
	address     text not null default ''
);
create index servers_working on open.servers (lease_until) where ended_at is null;

create function open.server_lock(server uuid) returns bigint
language sql immutable strict parallel safe as $$
	select uuid_hash_extended(server, 7301)
$$;

-- True, until the end of the transaction: the epoch is the server's own and goes on. Else OP001. (Two statements, the
-- second of which sees what was committed before the lock was there.)
create function open.fence(server uuid, server_epoch bigint) returns boolean
language plpgsql volatile as $$
begin
	perform pg_advisory_xact_lock_shared(uuid_hash_extended(server, 7301));
	perform from open.servers s where s.id = server and s.epoch = server_epoch and s.ended_at is null;
	if not found then
		raise exception 'this server was ended: another one has taken over its executions' using errcode = 'OP001';
	end if;
	return true;
end
$$;

-- A server begins: its new epoch.
create function open.server_begin(server uuid, lease_time interval, server_version text, server_host text,
                                  server_address text) returns bigint
language plpgsql volatile as $$
declare
	begun bigint;
begin
	perform pg_advisory_xact_lock(open.server_lock(server));
	insert into open.servers as s (id, lease, lease_until, version, host, address)
	values (server, lease_time, now() + lease_time, server_version, server_host, server_address)
	on conflict (id) do update
	   set epoch = s.epoch + 1, started_at = now(), steady_at = now(), lease = excluded.lease,
	       lease_until = excluded.lease_until, ended_at = null, version = excluded.version, host = excluded.host,
	       address = excluded.address
	returning epoch into begun;
	return begun;
end
$$;

-- An orderly end; whoever listens takes over at once.
create function open.server_end(server uuid, server_epoch bigint) returns boolean
language plpgsql volatile as $$
begin
	perform pg_advisory_xact_lock(open.server_lock(server));
	update open.servers s
	   set epoch = s.epoch + 1, ended_at = now()
	 where s.id = server and s.epoch = server_epoch and s.ended_at is null;
	if found then
		perform pg_notify('open_pending', '');
	end if;
	return found;
end
$$;

-- Ends one server whose lease is over, and tells which; null: none. Only who has held its own lease for as long as a
-- lease lasts may judge others: after the database was away, everybody gets the time to come back.
create function open.server_expire(judge uuid) returns uuid
language plpgsql volatile as $$
declare
	late uuid;
begin
	select s.id into late
	  from open.servers s
	 where s.ended_at is null
	   and s.lease_until < now()
	   and s.id <> judge
	   and exists (select from open.servers j
	                where j.id = judge
	                  and j.ended_at is null
	                  and j.lease_until > now()
	                  and j.steady_at < now() - j.lease)
	 limit 1;
	if late is null then
		return null;
	end if;
	perform pg_advisory_xact_lock(open.server_lock(late));
	update open.servers s
	   set epoch = s.epoch + 1, ended_at = clock_timestamp()
	 where s.id = late and s.ended_at is null and s.lease_until < clock_timestamp();
	if not found then
		return null;
	end if;
	perform pg_notify('open_pending', '');
	return late;
end
$$;

-- Takes up to so many executions over from one server that has ended; several servers share them by batches.
create function open.executions_inherit(heir uuid, heir_epoch bigint, most integer) returns setof uuid
language plpgsql volatile as $$
declare
	ended uuid;
begin
	select s.id into ended
	  from open.servers s
	 where s.ended_at is not null
	   and exists (select from open.executions e
	                where e.server_id = s.id and e.status in ('pending', 'running'))
	 limit 1;
	if ended is null or most < 1 then
		return;
	end if;
	perform open.fence(heir, heir_epoch);
	perform pg_advisory_xact_lock_shared(open.server_lock(ended));
	perform from open.servers s where s.id = ended and s.ended_at is not null;
	if not found then
		return; -- it came back, and looks after its own
	end if;
	return query
		update open.executions e
		   set server_id = heir
		 where e.id in (select x.id
		                  from open.executions x
		                 where x.server_id = ended and x.status in ('pending', 'running')
		                 limit most
		                   for update skip locked)
		   and e.server_id = ended
		returning e.id::uuid;
end
$$;

-- Those that ran executions before there were leases.
insert into open.servers (id, lease, lease_until, ended_at)
select distinct e.server_id, interval '10 seconds', now(), now()
  from open.executions e
 where e.server_id is not null and e.status in ('pending', 'running');

-- Requests ask only for the epoch.
grant select (id, epoch, ended_at) on open.servers to open_server;
grant select, insert, update on open.servers to open_system;
revoke all on function open.server_begin(uuid, interval, text, text, text), open.server_end(uuid, bigint),
	open.server_expire(uuid), open.executions_inherit(uuid, bigint, integer) from public;
grant execute on function open.server_begin(uuid, interval, text, text, text), open.server_end(uuid, bigint),
	open.server_expire(uuid), open.executions_inherit(uuid, bigint, integer) to open_system;
