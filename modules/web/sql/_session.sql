-- Columns of a session s; its token is nowhere.
s.id,
host(s.address) as address,
s.user_agent,
s.id = (select open.actor_credential()) as current,
s.inserted_at,
s.last_used_at,
s.expires_at,
s.user_id
