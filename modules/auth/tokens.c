/* tokens.c - API tokens over REST: one's own, for admins all of the
 * organization's. The value is told once, in the answer to its creation.
 *
 *   /api/v1/tokens      GET POST
 *   /api/v1/tokens/ID   GET DELETE
 */
#include <string.h>

#include "base/clock.h"
#include "web/credential.h"
#include "web/resource_body.h"
#include "web/resource_flow.h"
#include "web/route.h"

#include "auth_sql.h"

#define NAME_MAX_BYTES 800 /* 200 characters */

struct token_write {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid id;
	char *value;
};

static enum flow_next
not_found(struct flow *f)
{
	return flow_fail(
	    f, 404, "token_not_found", "There is no such API token.");
}

/* --- GET ------------------------------------------------------------------ */

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_tokens, NULL);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!flow_segment_uuid(f, 3, &id))
		return not_found(f);
	return resource_show(f, &resource_tokens, &id);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};

/* --- POST ----------------------------------------------------------------- */

static unsigned
read_scopes(const struct json *list, struct faults *faults)
{
	unsigned scopes = 0, one;
	uint32_t i;

	for (i = 0; list != NULL && i < list->count; i++) {
		const struct json *v = list->items[i];

		one = v->type == JSON_STRING ? scope_named(v->string, v->count)
					     : 0;
		if (one == 0) {
			faults_add(faults, v, "/data/attributes/scopes",
			    "invalid_scope",
			    "A scope is read, execute, write or admin.");
			return 0;
		}
		scopes |= one;
	}
	if (list != NULL && scopes == 0)
		faults_add(faults, list, "/data/attributes/scopes",
		    "invalid_scope", "A token has at least one scope.");
	return scopes;
}

/* What can be said of it without the database. */
static unsigned
check(const struct resource_body *body, struct faults *faults)
{
	const struct json *name = resource_body_get(body, "name"),
			  *expires = resource_body_get(body, "expires_at");
	int64_t us;

	if (name != NULL &&
	    (name->count > NAME_MAX_BYTES ||
		memchr(name->string, '\0', name->count) != NULL))
		faults_add(faults, name, "/data/attributes/name",
		    "invalid_name", "A name has at most 200 characters.");
	if (expires != NULL &&
	    (!time_parse(expires->string, expires->count, &us) ||
		us <= clock_real_us()))
		faults_add(faults, expires, "/data/attributes/expires_at",
		    "invalid_time",
		    "expires_at is a time to come, as "
		    "2027-01-31T00:00:00Z.");
	return read_scopes(resource_body_get(body, "scopes"), faults);
}

/* Text of the body's tree, which lives as long as the request; NULL: absent. */
static const char *
text_of(const struct resource_body *body, const char *name)
{
	const struct json *v = resource_body_get(body, name);

	return v == NULL ? NULL : v->string;
}

static enum flow_next
create_ask(struct flow *f, const struct resource_body *body, unsigned scopes)
{
	struct token_write *s = flow_state(f);
	const char *name = text_of(body, "name"), *names[4];
	uint8_t *hash = mem_alloc(flow_mem(f), CREDENTIAL_HASH);
	struct sql_params *params = flow_params(f);
	struct err e;

	err_clear(&e);
	s->id = uuid_v7();
	s->value = mem_alloc(flow_mem(f), CREDENTIAL_TEXT);
	if (s->value == NULL || hash == NULL ||
	    credential_new(CREDENTIAL_TOKEN, s->value, &e) != 0)
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	credential_hash(s->value, CREDENTIAL_LEN, hash);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_uuid(params, &flow_actor(f)->user);
	sql_text(params, name == NULL ? "" : name);
	sql_bytes(params, hash, CREDENTIAL_HASH);
	sql_text_array(params, names, scopes_list(scopes, names));
	sql_text(params, mem_strndup(flow_mem(f), s->value, CREDENTIAL_PREFIX));
	sql_text(params, text_of(body, "expires_at"));
	flow_constraint(f, "api_tokens_name_check", 422, "invalid_name",
	    "A name has at most 200 characters.");
	return flow_query(f, &SQL_TOKEN_CREATE);
}

static enum flow_next
create_write(struct flow *f)
{
	const struct json *root;
	struct resource_body body;
	struct faults faults;
	unsigned scopes;

	if (!resource_check(f, &resource_tokens) ||
	    (root = flow_json(f)) == NULL)
		return FLOW_DONE;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, &resource_tokens, NULL, &faults, &body) !=
	    0)
		return flow_fail_faults(f, body.status, &faults, "");
	scopes = check(&body, &faults);
	if (faults.count > 0)
		return flow_fail_faults(f, 422, &faults, "");
	if ((scopes & ~flow_actor(f)->scopes) != 0)
		return flow_fail_at(f, 403, "insufficient_scope",
		    "/data/attributes/scopes", NULL,
		    "A token can't give another one scopes that it has not "
		    "itself.");
	return create_ask(f, &body, scopes);
}

static enum flow_next
create_show(struct flow *f)
{
	struct token_write *s = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 409, "too_many_tokens",
		    "A user has at most 1000 API tokens; revoke one first.");
	return resource_written(f, &resource_tokens, &s->id, 201);
}

/* Revoked in this very moment it is shown all the same: it was made. */
static enum flow_next
create_answer(struct flow *f)
{
	struct token_write *s = flow_state(f);
	struct cell cells[RESOURCE_COLUMNS_MAX];
	const struct field *value = resource_field(&resource_tokens, "value");

	if (sql_count(flow_rows(f)) == 0)
		return not_found(f);
	resource_row(flow_rows(f), 0, &resource_tokens, cells);
	cells[value->column].text = s->value;
	cells[value->column].len = CREDENTIAL_LEN;
	return resource_reply_cells(f, &resource_tokens, cells, 201);
}

static const struct flow_step create_steps[] = {FLOW_STEP(create_write),
    FLOW_STEP(create_show), FLOW_STEP(create_answer), FLOW_END};

/* --- DELETE --------------------------------------------------------------- */

static enum flow_next
revoke_write(struct flow *f)
{
	struct token_write *s = flow_state(f);
	struct sql_params *params;

	if (!flow_segment_uuid(f, 3, &s->id))
		return not_found(f);
	if (!resource_check(f, &resource_tokens))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return flow_query(f, &SQL_TOKEN_REVOKE);
}

static enum flow_next
revoke_answer(struct flow *f)
{
	if (sql_count(flow_rows(f)) == 0)
		return not_found(f);
	return flow_reply_empty(f, 204);
}

static const struct flow_step revoke_steps[] = {
    FLOW_STEP(revoke_write), FLOW_STEP(revoke_answer), FLOW_END};

/* --- routes --------------------------------------------------------------- */

#define READ  sizeof(struct resource_state)
#define WRITE sizeof(struct token_write)

ROUTE(auth_tokens, {"GET", list_steps, READ, POLICY_TOKEN_READ},
    {"POST", create_steps, WRITE, POLICY_TOKEN_CREATE})

ROUTE(auth_token, {"GET", one_steps, READ, POLICY_TOKEN_READ},
    {"DELETE", revoke_steps, WRITE, POLICY_TOKEN_DELETE})
