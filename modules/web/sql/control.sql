-- What shall be of executions that have not ended.
-- $1 ids uuid[]
-- columns: id, cancelled, paused
select e.id, e.cancel_requested_at is not null, e.paused_at is not null
  from open.executions e
 where e.id = any($1::uuid[])
   and not e.finished
