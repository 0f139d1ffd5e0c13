-- $1 name, $2 slug, $3 settings
insert into open.organizations (name, slug, settings) values ($1, $2, $3::jsonb) returning id
