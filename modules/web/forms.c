/* forms.c - the tables of forms.h, and a form's body. */

#include "web/forms.h"

#include <string.h>

#include "resource_tables.h"

#define NEEDED (FIELD_CREATE | FIELD_REQUIRED)

static const struct field sign_in_fields[] = {
    {"email", FIELD_TEXT, -1, NEEDED, NULL, "Whose account."},
    {"password", FIELD_TEXT, -1, NEEDED, NULL, "The account's password."},
    {"organization", FIELD_TEXT, -1, FIELD_CREATE, NULL,
	"Slug of the organization to act in; without it the one of the last "
	"session."},
    {"cookie", FIELD_BOOLEAN, -1, FIELD_CREATE, NULL,
	"Whether the answer sets the cookie open_session, for browsers."},
    FIELDS_END,
};

static const struct field switch_fields[] = {
    {"organization", FIELD_TEXT, -1, NEEDED, NULL,
	"Slug of the organization to act in."},
    {"cookie", FIELD_BOOLEAN, -1, FIELD_CREATE, NULL,
	"Whether the answer sets the cookie open_session."},
    FIELDS_END,
};

static const struct field register_fields[] = {
    {"email", FIELD_TEXT, -1, NEEDED, NULL,
	"An address in ASCII; a mail goes there."},
    {"name", FIELD_TEXT, -1, FIELD_CREATE, NULL, "What you are called."},
    FIELDS_END,
};

static const struct field confirm_fields[] = {
    {"token", FIELD_TEXT, -1, NEEDED, NULL, "What the mail says."},
    {"password", FIELD_TEXT, -1, NEEDED, NULL,
	"12 characters or more, not a common one."},
    {"organization_name", FIELD_TEXT, -1, FIELD_CREATE, NULL,
	"Name of an organization to make; without it its slug."},
    {"organization_slug", FIELD_TEXT, -1, FIELD_CREATE, NULL,
	"Its short name, of a-z, 0-9 and -; without it none is made, and "
	"somebody must invite you."},
    FIELDS_END,
};

static const struct field password_fields[] = {
    {"current", FIELD_TEXT, -1, NEEDED, NULL, "The password until now."},
    {"password", FIELD_TEXT, -1, NEEDED, NULL,
	"12 characters or more, not a common one."},
    FIELDS_END,
};

static const struct field accept_fields[] = {
    {"token", FIELD_TEXT, -1, NEEDED, NULL, "What the mail says."},
    {"name", FIELD_TEXT, -1, FIELD_CREATE, NULL,
	"What you are called, for a new account."},
    {"password", FIELD_TEXT, -1, FIELD_CREATE, NULL,
	"For a new account: 12 characters or more, not a common one. Whoever "
	"has an account keeps his."},
    FIELDS_END,
};

const struct form form_sign_in = {"/api/v1/auth/sign-in", "signIn",
    "Signs in: a new session, its token shown once.", "sessions",
    sign_in_fields, "200", true};
const struct form form_sign_out = {"/api/v1/auth/sign-out", "signOut",
    "Ends this session.", NULL, NULL, "204", false};
const struct form form_sign_out_everywhere = {
    "/api/v1/auth/sign-out-everywhere", "signOutEverywhere",
    "Ends all of one's own sessions; API tokens stay.", NULL, NULL, "204",
    false};
const struct form form_switch = {"/api/v1/auth/switch", "switchOrganization",
    "Acts in another of one's own organizations: a new session, this one "
    "ends.",
    "sessions", switch_fields, "200", false};
const struct form form_register = {"/api/v1/auth/register", "register",
    "Asks for an account, where the setting registration is open. The answer "
    "is the same for an address that has one.",
    "users", register_fields, "202", true};
const struct form form_confirm = {"/api/v1/auth/confirm", "confirm",
    "Confirms an address with the token that was mailed to it, and sets the "
    "password.",
    "users", confirm_fields, "204", true};
const struct form form_password = {"/api/v1/auth/password", "changePassword",
    "Changes one's own password; all other sessions end.", "passwords",
    password_fields, "204", false};
const struct form form_accept = {"/api/v1/invitations/accept",
    "acceptInvitation",
    "Accepts an invitation with the token that was mailed: with the account "
    "of that address, or with a new one.",
    "invitations", accept_fields, "204", true};

const struct form *const form_table[] = {&form_sign_in, &form_sign_out,
    &form_sign_out_everywhere, &form_switch, &form_register, &form_confirm,
    &form_password, &form_accept, NULL};

bool
form_read(struct flow *f, const struct form *form, struct resource_body *body)
{
	const struct resource shape = {
	    .type = form->type, .fields = form->fields};
	const struct json *root = flow_json(f);
	struct faults faults;

	if (root == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, &shape, NULL, &faults, body) == 0)
		return true;
	flow_fail_faults(f, body->status, &faults, "");
	return false;
}

const char *
form_text(const struct resource_body *body, const char *name, size_t *len)
{
	const struct json *v = resource_body_get(body, name);

	if (v == NULL || v->type != JSON_STRING)
		return NULL;
	if (len != NULL)
		*len = v->count;
	return v->string;
}
