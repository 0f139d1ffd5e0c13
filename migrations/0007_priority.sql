-- 0007_priority - who goes first within an organization.
-- An execution's place among others of its organization: what was asked for at its start, else its DAG's.
create domain open.priority as smallint check (value between -100 and 100);
alter table open.executions add column priority open.priority not null default 0;
alter table open.dag_versions add column priority open.priority not null
	generated always as (coalesce((definition ->> 'priority')::smallint, 0)) stored;
