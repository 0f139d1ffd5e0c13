-- A user whose address needs no confirmation, and his membership.
-- $1 organization, $2 email, $3 password's hash, $4 name, $5 role
with made as (
	insert into open.users (email, hashed_password, name, confirmed_at)
	values (lower($2), $3, coalesce($4, ''), now())
	returning id
)
insert into open.memberships (organization_id, user_id, role)
select $1::uuid, id, $5 from made
returning user_id
