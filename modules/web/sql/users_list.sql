-- A page of an organization's members. Who may not see an address finds nobody by it.
-- $1 organization, $2 limit, $3 role text[], $4 active, $5 email, $6 organization's id,
-- $7 sort value and $8 id of the last row before
-- @sort name u.name text
-- @sort inserted_at u.inserted_at timestamptz
-- @sort joined_at m.inserted_at timestamptz
select @{user}
  from open.users u
  join open.memberships m on m.user_id = u.id
 where m.organization_id = $1::uuid
   and ($3::text[] is null or m.role = any($3))
   and ($4::boolean is null or $4 = (m.deactivated_at is null and u.deactivated_at is null))
   and ($5::text is null
        or case when (select open.actor_is_admin()) or u.id = (select open.actor_user()) then u.email = lower($5) else false end)
   and ($6::uuid is null or m.organization_id = $6)
   and (@key, u.id) @op ($7::@type, $8::uuid) @after
 order by @key @dir, u.id @dir
 limit $2::bigint
