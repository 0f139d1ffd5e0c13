-- $1 DAG, $2 description
update open.dags set description = $2, updated_at = now() where id = $1::uuid and description <> $2
