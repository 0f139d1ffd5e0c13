-- The password was right. No row: it is another one meanwhile.
-- $1 user, $2 stored password, $3 stored anew or null, $4 slug of an organization or null
-- columns: his organizations (JSON), the one to act in or null, his role there
select s.organizations, s.organization_id, s.role
  from open.signed_in($1::uuid, $2, $3, $4) s
