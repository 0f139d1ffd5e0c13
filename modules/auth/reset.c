/* reset.c - a new password for who reads the mails to his address.
 *
 *   /api/v1/auth/password-reset           POST email
 *   /api/v1/auth/password-reset/confirm   POST token password
 */

#include <string.h>

#include <openssl/crypto.h>

#include "web/credential.h"
#include "web/mail_message.h"
#include "web/password.h"
#include "web/rate.h"
#include "web/resource_body.h"
#include "web/route.h"

#include "auth_sql.h"

/* --- the bodies ----------------------------------------------------------- */

static const struct field ask_fields[] = {
    {"email", FIELD_TEXT, -1, FIELD_CREATE | FIELD_REQUIRED, NULL,
	"Whose password it is."},
    {NULL, FIELD_TEXT, 0, 0, NULL, NULL}};
static const struct field use_fields[] = {
    {"token", FIELD_TEXT, -1, FIELD_CREATE | FIELD_REQUIRED, NULL,
	"From the mail."},
    {"password", FIELD_TEXT, -1, FIELD_CREATE | FIELD_REQUIRED, NULL,
	"The new one."},
    {NULL, FIELD_TEXT, 0, 0, NULL, NULL}};
static const struct relation no_relations[] = {
    {NULL, NULL, 0, NULL, NULL, NULL, NULL}};
static const struct resource ask_body = {
    .type = "password-resets", .fields = ask_fields, .relations = no_relations};
static const struct resource use_body = {
    .type = "password-resets", .fields = use_fields, .relations = no_relations};

/* False: it has answered. */
static bool
body_read(struct flow *f, const struct resource *r, struct resource_body *body)
{
	const struct json *root = flow_json(f);
	struct faults faults;

	if (root == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, r, NULL, &faults, body) == 0)
		return true;
	flow_fail_faults(f, body->status, &faults, "");
	return false;
}

/* --- asking --------------------------------------------------------------- */

/* The same for every address: who has none gets no mail, and that is all. */
static enum flow_next
ask_reply(struct flow *f)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"meta\":{\"detail\":\"If this is somebody's address, a "
		     "mail with a link is on its way to it.\"}}");
	return flow_reply(f, 202, &b, NULL, NULL);
}

static enum flow_next
ask_write(struct flow *f)
{
	struct resource_body body;
	enum flow_next next;
	const char *email;
	bool silent = false;

	if (!body_read(f, &ask_body, &body))
		return FLOW_DONE;
	email = resource_body_get(&body, "email")->string;
	if (!mail_address_valid(email))
		return flow_fail_at(f, 422, "invalid_email",
		    "/data/attributes/email", NULL, "This is no mail address.");
	if ((next = rate_reset(f, email, &silent)) != FLOW_NEXT)
		return next;
	if (silent)
		return ask_reply(f);
	sql_text(flow_params(f), email);
	return flow_query(f, &SQL_RESET_ASK);
}

/* --- using ---------------------------------------------------------------- */

struct use {
	char *password; /* in the flow's memory; wiped when it is hashed */
	size_t password_len;
	uint8_t token[CREDENTIAL_HASH];
	char stored[PASSWORD_HASH];
	bool hashed;
};

static enum flow_next
use_refuse(struct flow *f)
{
	return flow_fail_at(f, 422, "invalid_token", "/data/attributes/token",
	    NULL,
	    "The token was used, is older than an hour, or never was one: ask "
	    "for another mail.");
}

static enum flow_next
use_look(struct flow *f)
{
	struct use *s = flow_state(f);
	const struct json *token, *password;
	struct resource_body body;
	enum flow_next next;
	struct err e;

	if (!body_read(f, &use_body, &body))
		return FLOW_DONE;
	token = resource_body_get(&body, "token");
	password = resource_body_get(&body, "password");
	if ((next = rate_register(f)) != FLOW_NEXT)
		return next;
	if (!credential_is_formed(token->string, token->count, "r"))
		return use_refuse(f);
	err_clear(&e);
	if (password_check(password->string, password->count, &e) != 0)
		return flow_fail_at(f, 422, e.code, "/data/attributes/password",
		    NULL, "%s", e.message);
	s->password = (char *)(uintptr_t)password->string;
	s->password_len = password->count;
	credential_hash(token->string, token->count, s->token);
	sql_bytes(flow_params(f), s->token, sizeof(s->token));
	return flow_query(f, &SQL_RESET_USABLE);
}

/* On a helper thread. */
static void
hash(void *state)
{
	struct use *s = state;
	struct err e;

	err_clear(&e);
	s->hashed =
	    password_hash(s->password, s->password_len, s->stored, &e) == 0;
	OPENSSL_cleanse(s->password, s->password_len);
}

static enum flow_next
use_hash(struct flow *f)
{
	size_t len = 0;
	const char *text;

	if (!sql_get_bool(flow_rows(f), 0, 0))
		return use_refuse(f);
	if ((text = flow_body(f, &len)) != NULL)
		OPENSSL_cleanse((char *)(uintptr_t)text, len);
	return flow_hash(f, hash);
}

static enum flow_next
use_write(struct flow *f)
{
	struct use *s = flow_state(f);
	struct sql_params *params;

	if (!s->hashed)
		return flow_fail(f, 503, "out_of_memory",
		    "The password can't be hashed now; try again.");
	params = flow_params(f);
	sql_bytes(params, s->token, sizeof(s->token));
	sql_text(params, s->stored);
	return flow_query(f, &SQL_RESET_USE);
}

static enum flow_next
use_reply(struct flow *f)
{
	if (!sql_get_bool(flow_rows(f), 0, 0))
		return use_refuse(f);
	return flow_reply_empty(f, 204);
}

/* --- routes --------------------------------------------------------------- */

static const struct flow_step ask_steps[] = {
    FLOW_STEP(ask_write), FLOW_STEP(ask_reply), FLOW_END};
static const struct flow_step use_steps[] = {FLOW_STEP(use_look),
    FLOW_STEP(use_hash), FLOW_STEP(use_write), FLOW_STEP(use_reply), FLOW_END};

ROUTE(auth_password_reset, {"POST", ask_steps, 0, POLICY_PASSWORD_RESET})
ROUTE(auth_password_reset_confirm,
    {"POST", use_steps, sizeof(struct use), POLICY_PASSWORD_RESET})
