-- A page of organizations: the own one.
-- $1 organization, $2 limit,
-- $3 sort value and $4 id of the last row before
-- @sort name o.name text
select @{organization}
  from open.organizations o
  join open.organization_usage u on u.organization_id = o.id
 where o.id = $1::uuid
   and (@key, o.id) @op ($3::@type, $4::uuid) @after
 order by @key @dir, o.id @dir
 limit $2::bigint
