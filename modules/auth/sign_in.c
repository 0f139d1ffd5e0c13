/* sign_in.c - a password becomes a session.
 *
 *   /api/v1/auth/sign-in  POST
 *   /api/v1/auth/switch   POST
 *
 * An unknown address and a wrong password are the same all the way: as many
 * statements, one password that is looked at, one answer.
 */
#include <stdlib.h>
#include <string.h>

#include "web/address.h"
#include "web/forms.h"
#include "web/password.h"
#include "web/rate.h"
#include "web/route.h"
#include "web/session.h"

#include "auth_sql.h"

struct sign_in {
	const char *email, *password, *wanted; /* in the request's memory */
	size_t password_len;
	bool cookie;
	char address[ADDRESS_MAX + 1];
	struct uuid user;
	const char *stored; /* NULL: nobody's */
	bool right, upgraded;
	char hash[PASSWORD_HASH]; /* what is stored instead */
	const char *organizations, *role;
	struct uuid organization;
	char token[CREDENTIAL_TEXT];
};

/* --- the password ---------------------------------------------------------- */

/* What is no address is nobody's, and takes as long. */
static enum flow_next
find(struct flow *f)
{
	struct sign_in *s = flow_state(f);
	const struct json *cookie;
	struct resource_body body;
	struct err e = {0};
	size_t len = 0;

	if (!form_read(f, &form_sign_in, &body))
		return FLOW_DONE;
	s->email = form_text(&body, "email", &len);
	s->password = form_text(&body, "password", &s->password_len);
	s->wanted = form_text(&body, "organization", NULL);
	cookie = resource_body_get(&body, "cookie");
	s->cookie = cookie != NULL && cookie->type == JSON_TRUE;
	if (address_read(s->email, len, s->address, &e) != 0)
		s->address[0] = '\0';
	if (rate_sign_in(f, s->email) != FLOW_NEXT)
		return FLOW_DONE;
	sql_text(flow_params(f), s->address);
	return flow_query(f, &SQL_SIGN_IN);
}

/* On the thread for passwords. */
static void
compare(void *state)
{
	struct sign_in *s = state;
	bool too_long = s->password_len > PASSWORD_MAX;
	struct err e = {0};

	s->right = password_verify(s->password, too_long ? 0 : s->password_len,
	    too_long ? NULL : s->stored);
	s->upgraded =
	    s->right && password_is_weak(s->stored) &&
	    password_hash(s->password, s->password_len, s->hash, &e) == 0;
	explicit_bzero((char *)(uintptr_t)s->password, s->password_len);
}

static enum flow_next
look(struct flow *f)
{
	struct sign_in *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);

	if (sql_count(rows) == 1 && !sql_is_null(rows, 0, 1)) {
		sql_get_uuid(rows, 0, 0, &s->user);
		s->stored = mem_strdup(flow_mem(f), sql_get(rows, 0, 1));
	}
	return flow_hash(f, compare);
}

static enum flow_next
wrong(struct flow *f)
{
	return flow_fail(f, 401, "invalid_credentials",
	    "The address or the password is wrong.");
}

static enum flow_next
note(struct flow *f)
{
	struct sign_in *s = flow_state(f);
	struct sql_params *params = flow_params(f);

	if (!s->right)
		return wrong(f);
	rate_signed_in(f, s->email);
	sql_uuid(params, &s->user);
	sql_text(params, s->stored);
	sql_text(params, s->upgraded ? s->hash : NULL);
	sql_text(params, s->wanted);
	return flow_query(f, &SQL_SIGNED_IN);
}

/* --- the session ------------------------------------------------------------ */

/* From a row of organizations, the one to act in and the role there. */
static enum flow_next
act_in(struct flow *f, struct sign_in *s)
{
	const struct sql_rows *rows = flow_rows(f);

	s->organizations = mem_strdup(flow_mem(f), sql_get(rows, 0, 0));
	s->role = mem_strdup(flow_mem(f), sql_get(rows, 0, 2));
	if (!sql_get_uuid(rows, 0, 1, &s->organization))
		return flow_fail(f, 403, "no_organization",
		    s->wanted != NULL
			? "You are no member of this organization."
			: "You are no member of any organization: ask an admin "
			  "of one to invite you.");
	return session_create(f, &s->user, &s->organization, s->token);
}

static enum flow_next
begin(struct flow *f)
{
	struct sign_in *s = flow_state(f);

	return sql_count(flow_rows(f)) == 0 ? wrong(f) : act_in(f, s);
}

static void
identifier(
    struct buf *b, const char *name, const char *type, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	buf_printf(b, "\"%s\":{\"data\":{\"type\":\"%s\",\"id\":\"%s\"}}", name,
	    type, text);
}

/* The row is the new session. */
static enum flow_next
answer(struct flow *f, const struct sign_in *s, const char *id,
    const char *expires)
{
	struct buf b;

	buf_create(&b, 0);
	buf_printf(&b,
	    "{\"data\":{\"type\":\"sessions\",\"id\":\"%s\",\"attributes\":"
	    "{\"token\":\"%s\",\"expires_at\":\"%s\",\"role\":\"%s\","
	    "\"organizations\":%s},\"relationships\":{",
	    id, s->token, expires, s->role, s->organizations);
	identifier(&b, "user", "users", &s->user);
	buf_putc(&b, ',');
	identifier(&b, "organization", "organizations", &s->organization);
	buf_puts(&b, "}}}");
	if (s->cookie)
		session_cookie(f, s->token);
	return flow_reply(f, 200, &b, NULL, NULL);
}

static enum flow_next
tell(struct flow *f)
{
	const struct sql_rows *rows = flow_rows(f);

	return answer(
	    f, flow_state(f), sql_get(rows, 0, 0), sql_get(rows, 0, 1));
}

static const struct flow_step sign_in_steps[] = {FLOW_STEP(find),
    FLOW_STEP(look), FLOW_STEP(note), FLOW_STEP(begin), FLOW_STEP(tell),
    FLOW_END};

/* --- another organization ---------------------------------------------------- */

struct change {
	struct sign_in sign_in;
	const char *id, *expires;
};

static enum flow_next
change_ask(struct flow *f)
{
	struct sql_params *params;
	struct change *c = flow_state(f);
	const struct json *cookie;
	struct resource_body body;

	if (!form_read(f, &form_switch, &body))
		return FLOW_DONE;
	if (!flow_actor(f)->session)
		return flow_fail(f, 403, "session_needed",
		    "An API token acts in its organization only.");
	c->sign_in.wanted = form_text(&body, "organization", NULL);
	c->sign_in.user = flow_actor(f)->user;
	cookie = resource_body_get(&body, "cookie");
	c->sign_in.cookie = cookie != NULL && cookie->type == JSON_TRUE;
	params = flow_params(f);
	sql_uuid(params, &c->sign_in.user);
	sql_text(params, c->sign_in.wanted);
	return flow_query(f, &SQL_SWITCH);
}

static enum flow_next
change_begin(struct flow *f)
{
	struct change *c = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 403, "no_organization",
		    "You are no member of this organization.");
	return act_in(f, &c->sign_in);
}

/* The old session ends when the new one is there. */
static enum flow_next
change_end(struct flow *f)
{
	struct sql_params *params;
	struct change *c = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);

	c->id = mem_strdup(flow_mem(f), sql_get(rows, 0, 0));
	c->expires = mem_strdup(flow_mem(f), sql_get(rows, 0, 1));
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &flow_actor(f)->token);
	return flow_query(f, &SQL_SESSION_END);
}

static enum flow_next
change_tell(struct flow *f)
{
	struct change *c = flow_state(f);

	return answer(f, &c->sign_in, c->id, c->expires);
}

static const struct flow_step switch_steps[] = {FLOW_STEP(change_ask),
    FLOW_STEP(change_begin), FLOW_STEP(change_end), FLOW_STEP(change_tell),
    FLOW_END};

ROUTE(auth_sign_in,
    {"POST", sign_in_steps, sizeof(struct sign_in), POLICY_SESSION_CREATE})
ROUTE(auth_switch,
    {"POST", switch_steps, sizeof(struct change), POLICY_SESSION_SWITCH})
