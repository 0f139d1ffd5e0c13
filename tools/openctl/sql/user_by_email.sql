-- $1 organization, $2 email
select id from open.users where organization_id = $1::uuid and email = lower($2)
