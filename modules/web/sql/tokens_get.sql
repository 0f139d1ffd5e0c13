-- API tokens by their ids: of whoever asks; admins see all of the organization's.
-- $1 organization, $2 uuid[] of ids, $3 with the value
select @{token}
  from open.api_tokens t
 where t.organization_id = $1::uuid
   and t.id = any($2::uuid[])
   and t.revoked_at is null
   and (t.user_id = (select open.actor_user()) or (select open.actor_is_admin()))
