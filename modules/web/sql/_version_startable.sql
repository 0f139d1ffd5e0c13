-- Whether version v can be started: compiled, its ops allowed ($11 ops that need a permission text[], $12 the settings
-- that give them), its pools known, in organization $1.
-- @text
v.plan_hash is not null
and (not v.ops && $11::text[]
     or not v.ops && (select open.ops_refused($1, $11, $12::text[])))
and (v.pools = '{}' or open.pool_unknown($1, v.pools) is null)
