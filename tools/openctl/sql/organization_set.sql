-- $1 slug, $2 settings to change
update open.organizations
   set settings = settings || $2::jsonb,
       updated_at = now()
 where slug = $1
returning id, slug, name, settings
