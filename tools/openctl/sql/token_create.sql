-- $1 organization, $2 user, $3 name, $4 SHA-256 of the token, $5 seconds it is good for or null, $6 scopes, $7 how it begins
insert into open.api_tokens (organization_id, user_id, name, token_hash, expires_at, scopes, prefix)
values ($1::uuid, $2::uuid, coalesce($3, ''), $4, now() + $5::double precision * interval '1 second', $6::text[], $7)
returning id, to_char(expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as expires_at
