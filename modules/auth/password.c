/* password.c - somebody changes his password.
 *
 *   /api/v1/auth/password  POST
 */
#include <string.h>

#include "auth/new_password.h"
#include "web/forms.h"
#include "web/rate.h"
#include "web/route.h"

#include "auth_sql.h"

struct change {
	struct new_password new; /* first */
	const char *current, *stored;
	size_t current_len;
	bool right;
	char account[UUID_TEXT]; /* by which guesses are counted */
};

static enum flow_next
ask(struct flow *f)
{
	struct change *c = flow_state(f);
	struct resource_body body;

	if (!form_read(f, &form_password, &body) ||
	    !new_password_read(f, &body, &c->new))
		return FLOW_DONE;
	c->current = form_text(&body, "current", &c->current_len);
	uuid_format(&flow_actor(f)->user, c->account);
	if (rate_sign_in(f, c->account) != FLOW_NEXT)
		return FLOW_DONE;
	(void)flow_params(f); /* none */
	return flow_query(f, &SQL_PASSWORD_OWN);
}

/* On the thread for passwords. */
static void
work(void *state)
{
	struct change *c = state;
	bool too_long = c->current_len > PASSWORD_MAX;

	c->right = password_verify(c->current, too_long ? 0 : c->current_len,
	    too_long ? NULL : c->stored);
	explicit_bzero((char *)(uintptr_t)c->current, c->current_len);
	if (c->right)
		new_password_hash(&c->new);
}

static enum flow_next
look(struct flow *f)
{
	struct change *c = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);

	if (sql_count(rows) == 1 && !sql_is_null(rows, 0, 0))
		c->stored = mem_strdup(flow_mem(f), sql_get(rows, 0, 0));
	return flow_hash(f, work);
}

static enum flow_next
wrong(struct flow *f)
{
	return flow_fail_at(f, 403, "wrong_password",
	    "/data/attributes/current", NULL,
	    "This is not the password until now.");
}

static enum flow_next
store(struct flow *f)
{
	struct sql_params *params;
	struct change *c = flow_state(f);

	if (!c->right)
		return wrong(f);
	rate_signed_in(f, c->account);
	if (!new_password_ready(f, &c->new))
		return FLOW_DONE;
	params = flow_params(f);
	sql_text(params, c->stored);
	sql_text(params, c->new.stored);
	return flow_query(f, &SQL_PASSWORD_CHANGE);
}

static enum flow_next
tell(struct flow *f)
{
	return sql_get_bool(flow_rows(f), 0, 0) ? flow_reply_empty(f, 204)
						: wrong(f);
}

static const struct flow_step steps[] = {FLOW_STEP(ask), FLOW_STEP(look),
    FLOW_STEP(store), FLOW_STEP(tell), FLOW_END};

ROUTE(auth_password,
    {"POST", steps, sizeof(struct change), POLICY_PASSWORD_CHANGE})
