/* secrets.c - secrets of an organization, for its admins. Values go in and
 * never come out.
 *
 *   /api/v1/secrets      GET POST
 *   /api/v1/secrets/ID   GET PATCH DELETE
 */
#include "catalog/secrets.h"

#include "web/resource_body.h"
#include "web/route.h"
#include "web/secrets.h"

#include "catalog_sql.h"

/* Path segment 3 as id; false: it has answered. */
static bool
secret_id(struct flow *f, struct uuid *id)
{
	if (flow_segment_uuid(f, 3, id))
		return true;
	flow_fail(f, 404, "secret_not_found", "There is no such secret.");
	return false;
}

/* --- GET ------------------------------------------------------------------ */

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_secrets, NULL);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!secret_id(f, &id))
		return FLOW_DONE;
	return resource_show(f, &resource_secrets, &id);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};

/* --- the body ------------------------------------------------------------- */

/* Faults never show the value. */
static void
check(const struct json *name, const struct json *value, struct faults *faults)
{
	const char *why;

	if (name != NULL && !secret_name_valid(name->string, name->count))
		faults_add(faults, name, "/data/attributes/name",
		    "invalid_name",
		    "A secret's name has 1 to %d letters, digits and _, and "
		    "does not begin with a digit.",
		    SECRET_NAME_MAX);
	why = value != NULL ? secret_value_fault(value->string, value->count)
			    : NULL;
	if (why != NULL)
		faults_add(faults, value, "/data/attributes/value",
		    "invalid_value", "%s", why);
}

/* The attributes in the state; id NULL: a new one. False: it has answered. */
static bool
read_body(struct flow *f, const struct uuid *id)
{
	struct secret_write *s = flow_state(f);
	const struct json *root, *name, *value;
	struct resource_body body;
	struct faults faults;

	if (!resource_check(f, &resource_secrets) ||
	    (root = flow_json(f)) == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, &resource_secrets, id, &faults, &body) !=
	    0) {
		flow_fail_faults(f, body.status, &faults, "");
		return false;
	}
	name = resource_body_get(&body, "name");
	value = resource_body_get(&body, "value");
	check(name, value, &faults);
	if (faults.count > 0) {
		flow_fail_faults(f, 422, &faults, "");
		return false;
	}
	if (name != NULL)
		s->name = (char *)(uintptr_t)name->string;
	if (value != NULL) {
		s->value = (char *)(uintptr_t)value->string;
		s->value_len = value->count;
	}
	return true;
}

/* The parameters that both writes begin with: whose it is, its id, its name and
 * the value, encrypted under that name. NULL after answering. */
static struct sql_params *
seal(struct flow *f, const struct secret_write *s)
{
	struct sealed_secret sealed;
	struct sql_params *params;

	if (!secrets_seal(f, s->name, s->value, s->value_len, &sealed))
		return NULL;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_text(params, s->name);
	/* sealed.bytes live in the flow's memory, as parameters must */
	sql_bytes(params, sealed.bytes, sealed.len);
	sql_text(params, mem_strdup(flow_mem(f), sealed.key_id));
	return params;
}

/* --- POST ----------------------------------------------------------------- */

static enum flow_next
create_write(struct flow *f)
{
	struct secret_write *s = flow_state(f);
	struct sql_params *params;

	if (!read_body(f, NULL))
		return FLOW_DONE;
	s->id = uuid_v7();
	if ((params = seal(f, s)) == NULL)
		return FLOW_DONE;
	sql_uuid(params, &flow_actor(f)->user);
	flow_constraint(f, "secrets_name", 409, "name_taken",
	    "The organization already has a secret of this name.");
	return flow_query(f, &SQL_SECRET_CREATE);
}

static enum flow_next
create_answer(struct flow *f)
{
	struct secret_write *s = flow_state(f);

	return resource_written(f, &resource_secrets, &s->id, 201);
}

static const struct flow_step create_steps[] = {FLOW_STEP(create_write),
    FLOW_STEP(create_answer), RESOURCE_STEPS, FLOW_END};

/* --- PATCH ---------------------------------------------------------------- */

/* The name is a part of what is encrypted. */
static enum flow_next
replace_look(struct flow *f)
{
	struct secret_write *s = flow_state(f);
	struct sql_params *params;

	if (!secret_id(f, &s->id) || !read_body(f, &s->id))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return flow_query(f, &SQL_SECRET_NAME);
}

static enum flow_next
replace_write(struct flow *f)
{
	struct secret_write *s = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(
		    f, 404, "secret_not_found", "There is no such secret.");
	if (s->value == NULL) /* nothing to change */
		return FLOW_NEXT;
	s->name = mem_strdup(flow_mem(f), sql_get(flow_rows(f), 0, 0));
	if (s->name == NULL)
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	if (seal(f, s) == NULL)
		return FLOW_DONE;
	return flow_query(f, &SQL_SECRET_REPLACE);
}

/* Deleted meanwhile, or there was nothing to change: what is there now. */
static enum flow_next
replace_answer(struct flow *f)
{
	struct secret_write *s = flow_state(f);

	return resource_written(f, &resource_secrets, &s->id, 200);
}

static const struct flow_step replace_steps[] = {FLOW_STEP(replace_look),
    FLOW_STEP(replace_write), FLOW_STEP(replace_answer), RESOURCE_STEPS,
    FLOW_END};

/* --- DELETE --------------------------------------------------------------- */

static enum flow_next
delete_write(struct flow *f)
{
	struct secret_write *s = flow_state(f);
	struct sql_params *params;

	if (!secret_id(f, &s->id) || !resource_check(f, &resource_secrets))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return flow_query(f, &SQL_SECRET_DELETE);
}

static enum flow_next
delete_answer(struct flow *f)
{
	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(
		    f, 404, "secret_not_found", "There is no such secret.");
	return flow_reply_empty(f, 204);
}

static const struct flow_step delete_steps[] = {
    FLOW_STEP(delete_write), FLOW_STEP(delete_answer), FLOW_END};

/* --- routes --------------------------------------------------------------- */

#define READ  sizeof(struct resource_state)
#define WRITE sizeof(struct secret_write)

ROUTE(catalog_secrets, {"GET", list_steps, READ, POLICY_SECRET_READ},
    {"POST", create_steps, WRITE, POLICY_SECRET_CREATE})

ROUTE(catalog_secret, {"GET", one_steps, READ, POLICY_SECRET_READ},
    {"PATCH", replace_steps, WRITE, POLICY_SECRET_UPDATE},
    {"DELETE", delete_steps, WRITE, POLICY_SECRET_DELETE})
