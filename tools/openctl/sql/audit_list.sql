-- Entries of an organization's audit log, the newest first, and the starts of executions that are still kept.
-- $1 organization, $2 how many at most, $3 action or null, $4 user's address or null, $5 not before or null,
-- $6 id of the last one before, or null
-- columns: id, at, action, outcome, who, address, subject, the entry as JSON
with entry as (
	select * from (
		(select l.id, l.at, l.action, l.outcome, l.subject_type, l.subject_id, l.role, l.address, l.detail, l.user_id, l.credential_id
		   from open.audit_log l
		  where l.organization_id = $1::uuid
		    and ($3::text is null or l.action = $3)
		    and ($4::text is null or l.user_id = (select u.id from open.users u where u.email = lower($4)))
		    and ($5::timestamptz is null or l.id >= open.uuid_floor($5))
		    and ($6::uuid is null or l.id < $6)
		  order by l.id desc
		  limit $2::bigint)
		union all
		(select e.id::uuid, e.inserted_at, case when e.origin_id is null then 'execution.start' else 'execution.rerun' end, 'done',
		        'execution', e.id::uuid, case when e.triggered_by is null then 'openctl' end, e.triggered_from,
		        jsonb_build_object('dag_id', e.dag_id), e.triggered_by, e.triggered_with
		   from open.executions e
		  where e.organization_id = $1
		    and e.parent_id is null
		    and ($3 is null or case when e.origin_id is null then 'execution.start' else 'execution.rerun' end = $3)
		    and ($4 is null or e.triggered_by = (select u.id from open.users u where u.email = lower($4)))
		    and ($5 is null or e.id >= open.uuid_floor($5))
		    and ($6 is null or e.id < $6)
		  order by e.id desc
		  limit $2)) both_kinds
	 order by id desc
	 limit $2
)
select e.id, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), e.action, e.outcome,
       coalesce((select u.email from open.users u where u.id = e.user_id), e.user_id::text, e.role, '-'),
       coalesce(e.address, '-'), concat_ws(' ', e.subject_type, e.subject_id), row_to_json(e)::text
  from entry e
 order by e.id desc
