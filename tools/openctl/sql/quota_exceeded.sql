-- $1 organization, $2 version
select open.quota_exceeded($1::uuid), open.pool_unknown($1::uuid, (select v.pools from open.dag_versions v where v.id = $2::uuid))
