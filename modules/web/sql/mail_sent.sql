-- A mail that was sent; what it said is forgotten.
-- $1 id
update open.outbox o
   set sent_at = now(), failed_at = null, error = null, data = '{}'
 where o.id = $1::uuid and o.sent_at is null
