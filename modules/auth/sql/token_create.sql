-- A new API token of a user; no row: there are too many.
-- $1 organization, $2 id, $3 user, $4 name, $5 SHA-256 of it, $6 scopes, $7 how it begins, $8 when it ends or null
-- columns: id
insert into open.api_tokens (id, organization_id, user_id, name, token_hash, scopes, prefix, expires_at)
select $2::uuid, $1::uuid, $3::uuid, $4, $5::bytea, $6::text[], $7, $8::timestamptz
 where (select count(*) from open.api_tokens t
         where t.user_id = $3::uuid and t.organization_id = $1::uuid and t.revoked_at is null) < 1000
returning id
