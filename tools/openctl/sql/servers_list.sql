-- The servers, and how many executions each has to run.
select s.id, s.epoch,
       case when s.ended_at is not null then 'ended' when s.lease_until < now() then 'late' else 'alive' end as state,
       round(extract(epoch from s.lease_until - now())::numeric, 1) as lease_seconds,
       to_char(s.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as started_at,
       (select count(*) from open.executions e
         where e.server_id = s.id and not e.finished) as executions,
       s.host, s.address, s.version
  from open.servers s
 order by s.ended_at is not null, s.started_at desc
