-- A page of the audit log; starts of executions are those of the executions that are still kept.
-- $1 organization, $2 limit, $3 action, $4 outcome, $5 user, $6 subject, $7, $8 not before, before,
-- $9 the last row's id as sort value and $10 as id
-- @sort at a.id uuid
select @{audit_entry}
  from ((select a.id, a.at, a.action, a.outcome, a.subject_type, a.subject_id, a.role, a.address, a.detail, a.user_id,
                a.credential_id
           from open.audit_log a
          where a.organization_id = $1::uuid
            and ($3::text is null or a.action = $3)
            and ($4::text is null or a.outcome = $4)
            and ($5::uuid is null or a.user_id = $5)
            and ($6::uuid is null or a.subject_id = $6)
            and ($7::timestamptz is null or a.id >= open.uuid_floor($7))
            and ($8::timestamptz is null or a.id < open.uuid_floor($8))
            and a.id @op $9::@type @after
          order by a.id @dir
          limit $2::bigint)
        union all
        (select a.id::uuid, a.inserted_at,
                case when a.origin_id is null then 'execution.start' else 'execution.rerun' end, 'done', 'execution', a.id::uuid,
                case when a.triggered_by is null then 'openctl' end, a.triggered_from,
                jsonb_build_object('dag_id', a.dag_id), a.triggered_by, a.triggered_with
           from open.executions a
          where a.organization_id = $1
            and a.parent_id is null
            and ($3 is null or case when a.origin_id is null then 'execution.start' else 'execution.rerun' end = $3)
            and ($4 is null or $4 = 'done')
            and ($5 is null or a.triggered_by = $5)
            and ($6 is null or a.id = $6)
            and ($7 is null or a.id >= open.uuid_floor($7))
            and ($8 is null or a.id < open.uuid_floor($8))
            and a.id @op $9 @after
          order by a.id @dir
          limit $2)) a
 where ($10::uuid is null or true) @after
 order by @key @dir
 limit $2
