/* new_password.h - a password that somebody is to have: checked, then hashed.
 *
 * Owner:    the flow's state holds it, first; the texts are the request's.
 */
#ifndef OPEN_AUTH_NEW_PASSWORD_H
#define OPEN_AUTH_NEW_PASSWORD_H

#include "web/flow.h"
#include "web/password.h"
#include "web/resource_body.h"

struct new_password {
	const char *text;
	size_t len;
	bool failed; /* no memory or randomness */
	char stored[PASSWORD_HASH];
};

/* The attribute "password" of a body; false: it has answered 422. */
bool new_password_read(
    struct flow *, const struct resource_body *, struct new_password *);
/* The thread's work: the state begins with the password. Wipes the text. */
void new_password_hash(void *state);
/* The step after it; false: it has answered 503. */
bool new_password_ready(struct flow *, const struct new_password *);

#endif
