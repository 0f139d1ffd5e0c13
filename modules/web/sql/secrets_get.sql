-- Secrets by their ids.
-- $1 organization, $2 uuid[] of ids
select @{secret}
  from open.secrets s
 where s.organization_id = $1::uuid
   and s.id = any($2::uuid[])
