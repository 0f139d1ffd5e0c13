-- A mail that was not sent: due again later, or given up.
-- $1 id, $2 attempt, $3 error, $4 milliseconds until it is due again; null: given up
update open.outbox o
   set error = $3::text,
       next_at = now() + coalesce($4::bigint, 0) * interval '1 millisecond',
       failed_at = case when $4::bigint is null then now() end
 where o.id = $1::uuid and o.attempts = $2::integer and o.sent_at is null and o.failed_at is null
