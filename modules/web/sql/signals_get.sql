-- Signals by their ids.
-- $1 organization, $2 uuid[] of ids, $3 long field
select @{signal}
  from open.signals s
 where s.organization_id = $1::uuid
   and s.id = any($2::uuid[])
