-- Until the session ends: one migrates, the others wait.
select pg_advisory_lock(hashtext('open.migrations'))
