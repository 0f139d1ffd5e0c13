-- Columns of a user u and his membership m. Others' address and sign-ins are for admins (policy.c).
u.id,
u.name,
case when (select open.actor_is_admin()) or u.id = (select open.actor_user()) then u.email end as email,
m.role,
m.deactivated_at is null and u.deactivated_at is null as active,
case when (select open.actor_is_admin()) or u.id = (select open.actor_user()) then u.last_sign_in end as last_sign_in,
u.inserted_at,
m.inserted_at as joined_at,
m.organization_id
