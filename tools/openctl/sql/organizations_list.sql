select id, slug, name, settings from open.organizations order by slug
