-- Revokes an API token: one's own; admins: any of the organization.
-- $1 organization, $2 token
-- columns: id
update open.api_tokens t
   set revoked_at = now()
 where t.organization_id = $1::uuid
   and t.id = $2::uuid
   and t.revoked_at is null
   and (t.user_id = (select open.actor_user()) or (select open.actor_is_admin()))
returning t.id
