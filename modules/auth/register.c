/* register.c - new accounts, where the server lets strangers have some: an
 * address asks for one, its owner confirms it and only then sets a password,
 * so nobody waits in somebody else's account with a password of his.
 *
 *   /api/v1/auth/register  POST
 *   /api/v1/auth/confirm   POST
 */
#include <string.h>

#include "auth/auth.h"
#include "auth/new_password.h"
#include "web/address.h"
#include "web/config.h"
#include "web/credential.h"
#include "web/forms.h"
#include "web/rate.h"
#include "web/route.h"

#include "auth_sql.h"

static bool
is_open(struct flow *f)
{
	int64_t setting = flow_config()->registration;

	if (setting == REGISTRATION_OPEN)
		return true;
	flow_fail(f, 403, "registration_closed",
	    setting == REGISTRATION_INVITATION
		? "Accounts are given by invitation: ask an admin of an "
		  "organization for one."
		: "Accounts are given by who runs the server.");
	return false;
}

static enum flow_next
register_ask(struct flow *f)
{
	struct sql_params *params;
	char address[ADDRESS_MAX + 1];
	struct resource_body body;
	const char *email, *name;
	struct err e = {0};
	size_t len = 0;

	if (rate_register(f) != FLOW_NEXT ||
	    !form_read(f, &form_register, &body) || !is_open(f))
		return FLOW_DONE;
	email = form_text(&body, "email", &len);
	if (address_read(email, len, address, &e) != 0)
		return flow_fail_at(f, 422, e.code, "/data/attributes/email",
		    NULL, "%s.", e.message);
	name = form_text(&body, "name", NULL);
	if (!auth_name_is_valid(f, name))
		return FLOW_DONE;
	params = flow_params(f);
	sql_text(params, mem_strdup(flow_mem(f), address));
	sql_text(params, name != NULL ? name : "");
	return flow_query(f, &SQL_REGISTER);
}

/* Whether the address was known is told to nobody but its owner. */
static enum flow_next
register_tell(struct flow *f)
{
	return flow_reply_empty(f, 202);
}

static const struct flow_step register_steps[] = {
    FLOW_STEP(register_ask), FLOW_STEP(register_tell), FLOW_END};

/* --- confirm ---------------------------------------------------------------- */

struct confirm {
	struct new_password new; /* first */
	uint8_t hash[CREDENTIAL_HASH];
	const char *name, *slug; /* of an organization; NULL: none */
};

static enum flow_next
unusable(struct flow *f)
{
	return flow_fail_at(f, 422, "invalid_token", "/data/attributes/token",
	    NULL,
	    "This token is not known, was used, or is too old; ask for another "
	    "mail.");
}

static enum flow_next
confirm_ask(struct flow *f)
{
	struct confirm *c = flow_state(f);
	struct resource_body body;
	const char *token;
	size_t len = 0;

	if (rate_register(f) != FLOW_NEXT ||
	    !form_read(f, &form_confirm, &body) ||
	    !new_password_read(f, &body, &c->new))
		return FLOW_DONE;
	c->slug = form_text(&body, "organization_slug", NULL);
	c->name = form_text(&body, "organization_name", NULL);
	if (c->slug != NULL && !is_open(f))
		return FLOW_DONE;
	token = form_text(&body, "token", &len);
	if (!credential_is_formed(token, len, "c"))
		return unusable(f);
	credential_hash(token, len, c->hash);
	sql_bytes(flow_params(f), c->hash, sizeof(c->hash));
	return flow_query(f, &SQL_CONFIRMATION);
}

static enum flow_next
confirm_hash(struct flow *f)
{
	return sql_count(flow_rows(f)) == 0 ? unusable(f)
					    : flow_hash(f, new_password_hash);
}

static enum flow_next
confirm_store(struct flow *f)
{
	struct confirm *c = flow_state(f);
	struct sql_params *params = flow_params(f);

	if (!new_password_ready(f, &c->new))
		return FLOW_DONE;
	sql_bytes(params, c->hash, sizeof(c->hash));
	sql_text(params, c->new.stored);
	sql_text(params, c->name != NULL ? c->name : c->slug);
	sql_text(params, c->slug);
	flow_constraint(f, "organizations_slug_key", 409, "slug_taken",
	    "There is an organization of this slug already.");
	flow_constraint(f, "organizations_slug_check", 422, "invalid_slug",
	    "A slug has 1 to 63 of a-z, 0-9 and -, no - at its ends.");
	auth_organization_constraints(f);
	return flow_query(f, &SQL_CONFIRM);
}

static enum flow_next
confirm_tell(struct flow *f)
{
	return sql_is_null(flow_rows(f), 0, 0) ? unusable(f)
					       : flow_reply_empty(f, 204);
}

static const struct flow_step confirm_steps[] = {FLOW_STEP(confirm_ask),
    FLOW_STEP(confirm_hash), FLOW_STEP(confirm_store), FLOW_STEP(confirm_tell),
    FLOW_END};

ROUTE(auth_register, {"POST", register_steps, 0, POLICY_REGISTER})
ROUTE(auth_confirm,
    {"POST", confirm_steps, sizeof(struct confirm), POLICY_CONFIRM})
