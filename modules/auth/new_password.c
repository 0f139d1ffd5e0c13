/* new_password.c - checks and hashes a password that somebody is to have. */
#include "auth/new_password.h"

#include <string.h>

#include "web/forms.h"

bool
new_password_read(
    struct flow *f, const struct resource_body *body, struct new_password *p)
{
	struct err e = {0};

	p->text = form_text(body, "password", &p->len);
	if (p->text == NULL) {
		flow_fail_at(f, 422, "missing_attribute",
		    "/data/attributes/password", NULL,
		    "A new account needs a password.");
		return false;
	}
	if (password_check(p->text, p->len, &e) == 0)
		return true;
	flow_fail_at(f, 422, e.code, "/data/attributes/password", NULL, "%s.",
	    e.message);
	return false;
}

void
new_password_hash(void *state)
{
	struct new_password *p = state;
	struct err e = {0};

	p->failed = password_hash(p->text, p->len, p->stored, &e) != 0;
	explicit_bzero((char *)(uintptr_t)p->text, p->len);
}

bool
new_password_ready(struct flow *f, const struct new_password *p)
{
	if (!p->failed)
		return true;
	flow_fail(f, 503, "overloaded",
	    "The server has no memory for this now; try again soon.");
	return false;
}
