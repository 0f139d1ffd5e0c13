-- $1 organization, $2 SHA-256
delete from open.graphql_operations where organization_id = $1::uuid and sha256 = $2 returning sha256
