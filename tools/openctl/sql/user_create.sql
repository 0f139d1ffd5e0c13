-- $1 organization, $2 email, $3 password's hash, $4 name, $5 role
insert into open.users (organization_id, email, hashed_password, name, role)
values ($1::uuid, lower($2), $3, coalesce($4, ''), $5)
returning id
