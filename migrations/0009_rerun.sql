-- 0009_rerun - executions that run another one again, keeping some of its results.

alter table open.executions add column origin_id uuid;    -- what it runs again; null: nothing

-- Makes an execution of the version that the origin ran, of which a server hears at once. keep: one byte for each
-- node, 1 where its history is copied, so that it does not run again; null: all nodes run. settings[i] is what
-- ops[i] needs. Null: there is no such origin; else how it went: started, not_ended, not_active, not_allowed.
-- It writes history, which requests may not, and so it looks at the actor itself.
create function open.execution_rerun(organization uuid, origin uuid, execution uuid, keep bytea, actor uuid,
                                     other_context jsonb, other_metadata jsonb, ops text[], settings text[])
returns text
language plpgsql volatile security definer set search_path = open, pg_temp as $$
declare
	o record;
begin
	if organization is distinct from open.actor_organization() then
		return null;
	end if;
	select e.finished, d.status = 'active' and d.deleted_at is null and v.plan_hash is not null as active,
	       v.ops && open.ops_refused(organization, execution_rerun.ops, settings) as refused
	  into o
	  from open.executions e
	  join open.dag_versions v on v.id = e.dag_version_id
	  join open.dags d on d.id = e.dag_id
	 where e.id = origin
	   and e.organization_id = organization;
	if not found then
		return null;
	elsif not o.finished then
		return 'not_ended';
	elsif not o.active then
		return 'not_active';
	elsif o.refused then
		return 'not_allowed';
	end if;
	insert into open.executions (id, organization_id, dag_id, dag_version_id, origin_id, context, metadata,
	                             total_nodes, priority, triggered_by)
	select execution, e.organization_id, e.dag_id, e.dag_version_id, e.id, coalesce(other_context, e.context),
	       coalesce(other_metadata, e.metadata), e.total_nodes, e.priority, actor
	  from open.executions e
	 where e.id = origin;
	if keep is not null then
		perform open.history_keep(origin, execution, keep);
	end if;
	perform pg_notify('open_pending', execution::text);
	return 'started';
end
$$;

-- The rows of an ended execution's history that tell of some nodes become that of another execution, in their order.
create function open.history_keep(origin uuid, execution uuid, keep bytea) returns void
language sql volatile set search_path = open, pg_temp as $$
	with kept as (
		insert into open.node_history (execution_id, first, organization_id, base_at, nodes, states, attempts,
		                               started, completed, results, errors, logs, elements)
		select execution, coalesce(sum(k.count) over (order by h.first
		                                              rows between unbounded preceding and 1 preceding), 0),
		       h.organization_id, h.base_at, k.nodes, k.states,
		       case when h.attempts is not null then k.attempts end, k.started, k.completed,
		       case when h.results is not null then k.results end, case when h.errors is not null then k.errors end,
		       case when h.logs is not null then k.logs end, case when h.elements is not null then k.elements end
		  from open.node_history h
		 cross join lateral (
			select count(*) as count, array_agg(c.node order by c.position) as nodes,
			       array_agg(c.state order by c.position) as states,
			       array_agg(c.attempt order by c.position) as attempts,
			       array_agg(c.started order by c.position) as started,
			       array_agg(c.completed order by c.position) as completed,
			       array_agg(c.result order by c.position) as results,
			       array_agg(c.error order by c.position) as errors,
			       array_agg(c.log order by c.position) as logs,
			       array_agg(c.element order by c.position) as elements
			  from unnest(h.nodes, h.states, h.attempts, h.started, h.completed, h.results, h.errors, h.logs,
			              h.elements) with ordinality
			       as c(node, state, attempt, started, completed, result, error, log, element, position)
			 where get_byte(keep, c.node) = 1) k
		 where h.execution_id = origin
		   and k.count > 0
		returning nodes, states, elements
	)
	update open.executions e
	   set succeeded_nodes = n.succeeded, failed_nodes = n.failed
	  from (select count(*) filter (where c.state = 's') as succeeded, count(*) filter (where c.state = 'f') as failed
	          from kept
	         cross join lateral unnest(kept.nodes, kept.states, kept.elements) as c(node, state, element)
	         where c.element is null) n
	 where e.id = execution
	   and not e.finished
$$;
revoke all on function open.history_keep(uuid, uuid, bytea) from public;
revoke all on function
	open.execution_rerun(uuid, uuid, uuid, bytea, uuid, jsonb, jsonb, text[], text[]) from public;
grant execute on function
	open.execution_rerun(uuid, uuid, uuid, bytea, uuid, jsonb, jsonb, text[], text[]) to open_server, open_system;
