-- $1 organization, $2 name, $3 description, $4 creator or null
insert into open.dags (organization_id, name, description, created_by)
values ($1::uuid, $2, $3, $4::uuid)
returning id
