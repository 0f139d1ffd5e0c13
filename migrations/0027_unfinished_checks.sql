-- 0027_unfinished_checks - what every unfinished execution is, said by the policies of the server's roles instead of a
-- check: PostgreSQL reads the checks of a table anew for every statement that writes it, which took a tenth of a start's
-- statement; policies are part of its plan. That it goes on, finished = false, is the partition's own.
alter table open.executions_unfinished drop constraint executions_unfinished_check;

alter policy organization on open.executions_unfinished
	with check (completed_at is null and status in ('pending', 'running')
		and organization_id = (select open.actor_organization())
		and exists (select from open.dag_versions v
		             where v.id = executions_unfinished.dag_version_id
		               and v.dag_id = executions_unfinished.dag_id
		               and v.organization_id = executions_unfinished.organization_id));
alter policy system on open.executions_unfinished
	with check (completed_at is null and status in ('pending', 'running'));

-- Rows come to be here and leave through the whole table; what has finished has a check of its own.
alter policy system on open.executions
	with check (finished or completed_at is null and status in ('pending', 'running'));
