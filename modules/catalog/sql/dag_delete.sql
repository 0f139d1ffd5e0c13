-- Deletes a DAG softly: its history stays, its name is free. No row: there is none; false: not allowed.
-- $1 organization, $2 DAG, $3 user, $4 whether the user is an admin
-- columns: whether it was allowed
with target as (
	select d.id, $4::boolean or coalesce(d.created_by = $3::uuid, false) as allowed
	  from open.dags d
	 where d.organization_id = $1::uuid
	   and d.id = $2::uuid
	   and d.deleted_at is null
	   for update
), changed as (
	update open.dags d
	   set deleted_at = now(), updated_at = now()
	  from target
	 where d.id = target.id
	   and target.allowed
)
select target.allowed from target
