-- Values of secrets, encrypted, for the executor; all of the pairs that are there.
-- $1 uuid[] of organizations, $2 text[] of names, in pairs
-- columns: place of the pair (from 1), ciphertext, key id
select w.place, s.ciphertext, s.key_id
  from unnest($1::uuid[], $2::text[]) with ordinality as w(organization, name, place)
  join open.secrets s on s.organization_id = w.organization and s.name = w.name
