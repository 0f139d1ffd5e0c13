-- $1 organization
select o.name, o.sha256, to_char(o.inserted_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as inserted_at
  from open.graphql_operations o where o.organization_id = $1::uuid order by o.name, o.sha256
