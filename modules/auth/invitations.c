/* invitations.c - people become members by a mail to their address.
 *
 *   /api/v1/invitations         GET POST
 *   /api/v1/invitations/ID      GET DELETE
 *   /api/v1/invitations/accept  POST
 */
#include "auth/auth.h"
#include "auth/new_password.h"
#include "web/address.h"
#include "web/config.h"
#include "web/credential.h"
#include "web/forms.h"
#include "web/rate.h"
#include "web/resource_flow.h"
#include "web/route.h"

#include "auth_sql.h"

struct invitation {
	struct resource_state resource; /* first */
	struct uuid id;
	char address[ADDRESS_MAX + 1];
};

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_invitations, NULL);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!auth_id(f, &resource_invitations, &id))
		return FLOW_DONE;
	return resource_show(f, &resource_invitations, &id);
}

static enum flow_next
invite_write(struct flow *f)
{
	struct sql_params *params;
	struct invitation *i = flow_state(f);
	struct resource_body body;
	const char *email, *role;
	struct err e = {0};
	size_t len = 0;

	if (!auth_body(f, &resource_invitations, NULL, &body) ||
	    !auth_role(f, &body, &role))
		return FLOW_DONE;
	email = form_text(&body, "email", &len);
	if (address_read(email, len, i->address, &e) != 0)
		return flow_fail_at(f, 422, e.code, "/data/attributes/email",
		    NULL, "%s.", e.message);
	params = flow_params(f);
	sql_text(params, i->address);
	sql_text(params, role != NULL ? role : "user");
	return flow_query(f, &SQL_INVITE);
}

static enum flow_next
invite_answer(struct flow *f)
{
	struct invitation *i = flow_state(f);

	if (!sql_get_uuid(flow_rows(f), 0, 0, &i->id))
		return flow_fail_at(f, 409, "already_member",
		    "/data/attributes/email", NULL,
		    "Whose address this is is a member already.");
	return resource_written(f, &resource_invitations, &i->id, 201);
}

static enum flow_next
delete_write(struct flow *f)
{
	struct sql_params *params;
	struct uuid id;

	if (!auth_id(f, &resource_invitations, &id) ||
	    !resource_check(f, &resource_invitations))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &id);
	return flow_query(f, &SQL_INVITATION_DELETE);
}

static enum flow_next
delete_answer(struct flow *f)
{
	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 404, resource_invitations.not_found,
		    "There is no such invitation.");
	return flow_reply_empty(f, 204);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step invite_steps[] = {FLOW_STEP(invite_write),
    FLOW_STEP(invite_answer), RESOURCE_STEPS, FLOW_END};
static const struct flow_step delete_steps[] = {
    FLOW_STEP(delete_write), FLOW_STEP(delete_answer), FLOW_END};

/* --- accept ---------------------------------------------------------------- */

/* The token proves whose address it is: as good as a reset of his password, so
 * nothing else is asked of who has an account. */
struct acceptance {
	struct new_password new; /* first */
	uint8_t hash[CREDENTIAL_HASH];
	struct resource_body body;
};

static enum flow_next
unusable(struct flow *f)
{
	return flow_fail_at(f, 422, "invalid_token", "/data/attributes/token",
	    NULL,
	    "This invitation is not known, was accepted or taken back, or is "
	    "too old; ask for another one.");
}

static enum flow_next
accept_ask(struct flow *f)
{
	struct acceptance *a = flow_state(f);
	const char *token;
	size_t len = 0;

	if (rate_register(f) != FLOW_NEXT ||
	    !form_read(f, &form_accept, &a->body) ||
	    !auth_name_is_valid(f, form_text(&a->body, "name", NULL)))
		return FLOW_DONE;
	token = form_text(&a->body, "token", &len);
	if (!credential_is_formed(token, len, "i"))
		return unusable(f);
	credential_hash(token, len, a->hash);
	sql_bytes(flow_params(f), a->hash, sizeof(a->hash));
	return flow_query(f, &SQL_INVITATION);
}

/* Whoever has no account needs a password for the new one. */
static enum flow_next
accept_hash(struct flow *f)
{
	struct acceptance *a = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return unusable(f);
	if (sql_get_bool(flow_rows(f), 0, 0))
		return FLOW_NEXT;
	if (flow_config()->registration == REGISTRATION_CLOSED)
		return flow_fail(f, 403, "registration_closed",
		    "New accounts are given by who runs the server.");
	return new_password_read(f, &a->body, &a->new)
		   ? flow_hash(f, new_password_hash)
		   : FLOW_DONE;
}

static enum flow_next
accept_write(struct flow *f)
{
	struct sql_params *params;
	struct acceptance *a = flow_state(f);

	if (!new_password_ready(f, &a->new))
		return FLOW_DONE;
	params = flow_params(f);
	sql_bytes(params, a->hash, sizeof(a->hash));
	sql_text(params, form_text(&a->body, "name", NULL));
	sql_text(params, a->new.stored[0] != '\0' ? a->new.stored : NULL);
	flow_constraint(f, "invitations_password", 422, "missing_attribute",
	    "A new account needs a password.");
	return flow_query(f, &SQL_INVITATION_ACCEPT);
}

static enum flow_next
accept_answer(struct flow *f)
{
	return sql_count(flow_rows(f)) == 0 ? unusable(f)
					    : flow_reply_empty(f, 204);
}

static const struct flow_step accept_steps[] = {FLOW_STEP(accept_ask),
    FLOW_STEP(accept_hash), FLOW_STEP(accept_write), FLOW_STEP(accept_answer),
    FLOW_END};

#define STATE sizeof(struct invitation)

ROUTE(auth_invitations, {"GET", list_steps, STATE, POLICY_INVITATION_READ},
    {"POST", invite_steps, STATE, POLICY_INVITATION_CREATE})
ROUTE(auth_invitation, {"GET", one_steps, STATE, POLICY_INVITATION_READ},
    {"DELETE", delete_steps, STATE, POLICY_INVITATION_DELETE})
ROUTE(auth_accept,
    {"POST", accept_steps, sizeof(struct acceptance), POLICY_REGISTER})
