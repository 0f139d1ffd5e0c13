-- A new session of somebody who has just proved to be that user.
-- $1 user, $2 organization, $3 SHA-256 of the token, $4 seconds that it lives without being used, $5 address, $6 user agent
-- columns: id, expires_at
with made as materialized (
	select open.session_create($1::uuid, $2::uuid, $3::bytea, $4::bigint * interval '1 second', $5, $6) as id)
select made.id, now() + $4::bigint * interval '1 second' from made
