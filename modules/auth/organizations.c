/* organizations.c - the own organization: limits and usage for members, its
 * name, settings and quotas for admins.
 *
 *   /api/v1/organizations     GET
 *   /api/v1/organizations/ID  GET PATCH
 */
#include <string.h>

#include "auth/auth.h"
#include "web/config.h"
#include "web/forms.h"
#include "web/org_settings.h"
#include "web/resource_flow.h"
#include "web/route.h"

#include "auth_sql.h"

struct organization {
	struct resource_state resource; /* first */
	struct uuid id;
};

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_organizations, NULL);
}

static enum flow_next
show_ask(struct flow *f)
{
	struct uuid id;

	if (!auth_id(f, &resource_organizations, &id))
		return FLOW_DONE;
	return resource_show(f, &resource_organizations, &id);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step show_steps[] = {
    FLOW_STEP(show_ask), RESOURCE_STEPS, FLOW_END};

/* --- change ---------------------------------------------------------------- */

/* Where anybody makes an organization, what its nodes may reach and how much of
 * the machine they get is for who runs the server. */
static bool
may_set(struct flow *f, const char *key, size_t len, const char *pointer)
{
	if (flow_config()->registration != REGISTRATION_OPEN ||
	    !setting_is_privileged(key, len))
		return true;
	flow_fail_at(f, 403, "forbidden", pointer, NULL,
	    "On this server %.*s is set by who runs it.", (int)len, key);
	return false;
}

static bool
check(struct flow *f, const char *key, size_t len, const struct json *v,
    const char *pointer)
{
	struct err e = {0};

	if (setting_check(key, len, v, &e) == 0)
		return may_set(f, key, len, pointer);
	flow_fail_at(f, 422, e.code, pointer, NULL, "%s.", e.message);
	return false;
}

/* The settings as canonical text, NULL where none are given; false: it has
 * answered. Quotas are attributes of their own. */
static bool
read_settings(struct flow *f, const struct json *settings, const char **text)
{
	struct buf b;

	*text = NULL;
	for (uint32_t i = 0; settings != NULL && i < settings->count; i++) {
		const struct json_member *m = &settings->members[i];
		bool quota = strcmp(m->name, "compute_quota") == 0 ||
			     strcmp(m->name, "storage_quota") == 0;

		if (quota) {
			flow_fail_at(f, 422, "unknown_setting",
			    "/data/attributes/settings", NULL,
			    "%s is an attribute of its own.", m->name);
			return false;
		}
		if (!check(f, m->name, m->name_len, m->value,
			"/data/attributes/settings"))
			return false;
	}
	if (settings == NULL)
		return true;
	buf_create(&b, 0);
	json_write(&b, settings);
	*text = buf_failed(&b) ? NULL : mem_strndup(flow_mem(f), b.data, b.len);
	buf_free(&b);
	return true;
}

/* Two parameters: whether it is given, and its value. */
static bool
add_quota(struct flow *f, struct sql_params *params,
    const struct resource_body *body, const char *name)
{
	const struct json *v = resource_body_get(body, name);

	if (v != NULL && !check(f, name, strlen(name), v, "/data/attributes"))
		return false;
	sql_bool(params, v != NULL);
	if (v != NULL && v->type == JSON_INTEGER)
		sql_int(params, v->integer);
	else
		sql_null(params);
	return true;
}

static enum flow_next
update_write(struct flow *f)
{
	struct organization *o = flow_state(f);
	struct sql_params *params = flow_params(f);
	struct resource_body body;
	const char *settings;

	if (!auth_id(f, &resource_organizations, &o->id))
		return FLOW_DONE;
	if (!uuid_equal(&o->id, &flow_actor(f)->organization))
		return flow_fail(f, 404, resource_organizations.not_found,
		    "There is no such organization.");
	if (!auth_body(f, &resource_organizations, &o->id, &body) ||
	    !read_settings(f, resource_body_get(&body, "settings"), &settings))
		return FLOW_DONE;
	sql_uuid(params, &o->id);
	sql_text(params, form_text(&body, "name", NULL));
	sql_text(params, settings);
	if (!add_quota(f, params, &body, "compute_quota") ||
	    !add_quota(f, params, &body, "storage_quota"))
		return FLOW_DONE;
	auth_organization_constraints(f);
	return flow_query(f, &SQL_ORGANIZATION_UPDATE);
}

static enum flow_next
update_answer(struct flow *f)
{
	struct organization *o = flow_state(f);

	return resource_written(f, &resource_organizations, &o->id, 200);
}

static const struct flow_step update_steps[] = {FLOW_STEP(update_write),
    FLOW_STEP(update_answer), RESOURCE_STEPS, FLOW_END};

#define STATE sizeof(struct organization)

ROUTE(auth_organizations, {"GET", list_steps, STATE, POLICY_ORGANIZATION_READ})
ROUTE(auth_organization, {"GET", show_steps, STATE, POLICY_ORGANIZATION_READ},
    {"PATCH", update_steps, STATE, POLICY_ORGANIZATION_UPDATE})
