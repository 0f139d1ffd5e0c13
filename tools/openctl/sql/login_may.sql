-- Whether the current role may become both, and what an owner would have to say to allow it.
select coalesce(bool_and(pg_has_role(r.oid, 'member')), false),
       format('grant open_server, open_system to %I', current_user)
  from pg_roles r
 where r.rolname in ('open_server', 'open_system')
