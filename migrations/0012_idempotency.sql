-- 0012_idempotency - keys that make a start happen once: Idempotency-Key.

create table open.idempotency_keys (
	organization_id uuid not null references open.organizations on delete cascade,
	actor_id        uuid not null,    -- the user, whose keys are nobody else's; of openctl: the organization
	key             text not null check (length(key) between 1 and 255),
	request_hash    bytea not null check (length(request_hash) = 32),    -- SHA-256 of what was asked
	execution_id    uuid not null,    -- no foreign key: executions go by partition
	inserted_at     timestamptz not null default now(),
	constraint idempotency_keys_pkey primary key (organization_id, actor_id, key)
);
create index idempotency_keys_inserted_at on open.idempotency_keys (inserted_at);

-- How long a key is kept.
create function open.idempotency_span() returns interval
language sql immutable parallel safe as $$ select interval '24 hours' $$;

alter table open.idempotency_keys enable row level security;
create policy organization on open.idempotency_keys to open_server
	using (organization_id = (select open.actor_organization()));
create policy system on open.idempotency_keys to open_system using (true);
grant select, insert, update on open.idempotency_keys to open_server;
grant select, insert, update, delete on open.idempotency_keys to open_system;

-- open.execution_rerun, once for a key: its outcome, or replayed or reused, and which execution it came to.
create function open.execution_rerun_once(organization uuid, origin uuid, execution uuid, keep bytea, actor uuid,
                                          other_context jsonb, other_metadata jsonb, ops text[], settings text[],
                                          given_key text, given_hash bytea)
returns table (outcome text, made uuid)
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	k open.idempotency_keys;
	expired timestamptz := now() - open.idempotency_span();
begin
	if organization is distinct from open.actor_organization() then
		return;
	end if;
	-- Whoever has the same key and is not yet done is waited for here.
	insert into open.idempotency_keys as o (organization_id, actor_id, key, request_hash, execution_id)
	values (organization, actor, given_key, given_hash, execution)
	on conflict on constraint idempotency_keys_pkey do update
	   set request_hash = case when o.inserted_at < expired then excluded.request_hash else o.request_hash end,
	       execution_id = case when o.inserted_at < expired then excluded.execution_id else o.execution_id end,
	       inserted_at = case when o.inserted_at < expired then excluded.inserted_at else o.inserted_at end
	returning o.* into k;
	made := k.execution_id;
	if k.execution_id <> execution then
		outcome := case when k.request_hash = given_hash then 'replayed' else 'reused' end;
		return next;
		return;
	end if;
	outcome := open.execution_rerun(organization, origin, execution, keep, actor, other_context, other_metadata,
	                                execution_rerun_once.ops, settings);
	if outcome is distinct from 'started' then
		delete from open.idempotency_keys o
		 where o.organization_id = organization and o.actor_id = actor and o.key = given_key;
	end if;
	return next;
end
$$;
revoke all on function
	open.execution_rerun_once(uuid, uuid, uuid, bytea, uuid, jsonb, jsonb, text[], text[], text, bytea) from public;
grant execute on function
	open.execution_rerun_once(uuid, uuid, uuid, bytea, uuid, jsonb, jsonb, text[], text[], text, bytea)
	to open_server, open_system;
