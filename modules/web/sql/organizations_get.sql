-- Organizations by their ids: the own one.
-- $1 organization, $2 uuid[] of ids
select @{organization}
  from open.organizations o
  join open.organization_usage u on u.organization_id = o.id
 where o.id = $1::uuid
   and o.id = any($2::uuid[])
