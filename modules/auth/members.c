/* members.c - the people of an organization, and oneself.
 *
 *   /api/v1/users                   GET
 *   /api/v1/users/ID                GET PATCH DELETE
 *   /api/v1/users/me                GET PATCH
 *   /api/v1/organizations/ID/users  GET
 */
#include "auth/auth.h"
#include "web/forms.h"
#include "web/resource_flow.h"
#include "web/route.h"

#include "auth_sql.h"

struct member {
	struct resource_state resource; /* first */
	struct uuid id;
};

/* --- read ------------------------------------------------------------------ */

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_users, NULL);
}

static enum flow_next
list_of_ask(struct flow *f)
{
	struct resource_parent parent = {
	    .resource = &resource_organizations, .filter = "organization"};

	if (!auth_id(f, &resource_organizations, &parent.id))
		return FLOW_DONE;
	parent.path = mem_printf(
	    flow_mem(f), "/api/v1/organizations/%s/users", flow_segment(f, 3));
	return resource_list(f, &resource_users, &parent);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!auth_id(f, &resource_users, &id))
		return FLOW_DONE;
	return resource_show(f, &resource_users, &id);
}

static enum flow_next
me_ask(struct flow *f)
{
	return resource_show(f, &resource_profile, &flow_actor(f)->user);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step list_of_steps[] = {
    FLOW_STEP(list_of_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step me_steps[] = {
    FLOW_STEP(me_ask), RESOURCE_STEPS, FLOW_END};

/* --- change ---------------------------------------------------------------- */

static enum flow_next
no_such_user(struct flow *f)
{
	return flow_fail(f, 404, resource_users.not_found,
	    "There is no such member of the organization.");
}

static void
keep_an_admin(struct flow *f)
{
	flow_constraint(f, "memberships_last_admin", 409, "last_admin",
	    "He is the last admin: make somebody else one first.");
}

static enum flow_next
update_write(struct flow *f)
{
	struct member *m = flow_state(f);
	struct sql_params *params = flow_params(f);
	struct resource_body body;
	const struct json *active;
	const char *role;

	if (!auth_id(f, &resource_users, &m->id) ||
	    !auth_body(f, &resource_users, &m->id, &body) ||
	    !auth_role(f, &body, &role))
		return FLOW_DONE;
	active = resource_body_get(&body, "active");
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &m->id);
	sql_text(params, role);
	if (active != NULL)
		sql_bool(params, active->type == JSON_TRUE);
	else
		sql_null(params);
	keep_an_admin(f);
	return flow_query(f, &SQL_MEMBER_UPDATE);
}

static enum flow_next
update_answer(struct flow *f)
{
	struct member *m = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return no_such_user(f);
	return resource_written(f, &resource_users, &m->id, 200);
}

static enum flow_next
remove_write(struct flow *f)
{
	struct sql_params *params;
	struct uuid id;

	if (!auth_id(f, &resource_users, &id) ||
	    !resource_check(f, &resource_users))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &id);
	keep_an_admin(f);
	return flow_query(f, &SQL_MEMBER_REMOVE);
}

static enum flow_next
remove_answer(struct flow *f)
{
	return sql_count(flow_rows(f)) == 0 ? no_such_user(f)
					    : flow_reply_empty(f, 204);
}

static enum flow_next
me_write(struct flow *f)
{
	struct sql_params *params = flow_params(f);
	const struct uuid *user = &flow_actor(f)->user;
	struct resource_body body;
	const char *name;

	if (!auth_body(f, &resource_profile, user, &body))
		return FLOW_DONE;
	name = form_text(&body, "name", NULL);
	if (!auth_name_is_valid(f, name))
		return FLOW_DONE;
	if (name == NULL)
		return FLOW_NEXT;
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, user);
	sql_text(params, name);
	return flow_query(f, &SQL_PROFILE_UPDATE);
}

static enum flow_next
me_answer(struct flow *f)
{
	return resource_written(
	    f, &resource_profile, &flow_actor(f)->user, 200);
}

static const struct flow_step update_steps[] = {FLOW_STEP(update_write),
    FLOW_STEP(update_answer), RESOURCE_STEPS, FLOW_END};
static const struct flow_step remove_steps[] = {
    FLOW_STEP(remove_write), FLOW_STEP(remove_answer), FLOW_END};
static const struct flow_step me_update_steps[] = {
    FLOW_STEP(me_write), FLOW_STEP(me_answer), RESOURCE_STEPS, FLOW_END};

#define STATE sizeof(struct member)

ROUTE(auth_users, {"GET", list_steps, STATE, POLICY_USER_READ})
ROUTE(auth_users_of, {"GET", list_of_steps, STATE, POLICY_USER_READ})
ROUTE(auth_user, {"GET", one_steps, STATE, POLICY_USER_READ},
    {"PATCH", update_steps, STATE, POLICY_USER_UPDATE},
    {"DELETE", remove_steps, STATE, POLICY_USER_REMOVE})
ROUTE(auth_me, {"GET", me_steps, STATE, POLICY_PROFILE_READ},
    {"PATCH", me_update_steps, STATE, POLICY_PROFILE_UPDATE})
