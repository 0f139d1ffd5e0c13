/* session_cookie.c - a session's token as a browser keeps it (RFC 6265).
 *
 * No script reads it, no other site's form or frame sends it; over TLS, of our
 * own or of what stands before us, it never leaves without.
 */
#include <stdio.h>
#include <strings.h>

#include "web/request.h"
#include "web/session.h"

#define ATTRIBUTES "; Path=/; HttpOnly; SameSite=Lax"

static bool
over_tls(struct flow *f)
{
	const char *origin = flow_header(f, "origin");
	const struct listener *l = f->req->owner->owner;

	return (l != NULL && l->server->tls) ||
	       (origin != NULL && strncasecmp(origin, "https://", 8) == 0);
}

void
session_cookie(struct flow *f, const char *token)
{
	char text[256];

	snprintf(text, sizeof(text), COOKIE "=%s" ATTRIBUTES "; Max-Age=%lld%s",
	    token != NULL ? token : "",
	    token != NULL ? (long long)(server.config.session_lifetime /
					INT64_C(1000000000))
			  : 0LL,
	    over_tls(f) ? "; Secure" : "");
	flow_answer_header(f, "set-cookie", text);
}
