-- One of somebody's own organizations; no row: he is no member there.
-- $1 user, $2 slug
-- columns: his organizations (JSON), the one to act in, his role there
select (select jsonb_agg(jsonb_build_object('id', a.organization_id, 'slug', a.slug, 'name', a.name, 'role', a.role) order by a.turn)
          from open.organizations_of($1::uuid) a),
       o.organization_id, o.role
  from open.organizations_of($1::uuid) o
 where o.slug = $2
