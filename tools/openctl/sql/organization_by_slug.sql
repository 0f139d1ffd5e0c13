-- $1 slug
select id, settings from open.organizations where slug = $1
