-- Ends a membership.
-- $1 organization, $2 user
delete from open.memberships m
 where m.organization_id = $1::uuid and m.user_id = $2::uuid
returning m.user_id
