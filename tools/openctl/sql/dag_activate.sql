-- $1 DAG, $2 version. No row: it was active already.
update open.dags
   set active_version_id = $2::uuid, status = 'active', updated_at = now()
 where id = $1::uuid and (active_version_id, status) is distinct from ($2::uuid, 'active')
returning id
