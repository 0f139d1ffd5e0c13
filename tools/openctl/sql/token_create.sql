-- $1 organization, $2 user, $3 name, $4 SHA-256 of the token, $5 seconds it is good for or null
insert into open.api_tokens (organization_id, user_id, name, token_hash, expires_at)
values ($1::uuid, $2::uuid, coalesce($3, ''), $4, now() + $5::double precision * interval '1 second')
returning id, expires_at
