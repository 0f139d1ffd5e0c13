/* call.h - a request without a connection: routes of this server, asked by the
 * server itself.
 *
 * Why:      operations that come over a WebSocket, and fields that mean what a
 *           route does, run that route's steps: one implementation, one policy,
 *           one code for each fault.
 * Who:      the credentials are checked as those of any request, from the
 *           headers that are passed on, each time.
 * Owner:    the call belongs to call.c from call_start until `done` was called
 *           or call_forget; the deadline of requests holds for it too.
 * Fails:    as a request: with a status and a body. NULL: out of memory, done
 *           is not called.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_CALL_H
#define OPEN_WEB_CALL_H

#include "web/flow.h"

struct call;

/* What of a request tells who asks; texts are the caller's, until it returns.
 */
struct call_origin {
	const char *authorization; /* header's value, or NULL */
	const char *cookie, *origin, *host;
	const char *address; /* of the client; NULL: unknown */
	bool checked;	     /* a cookie's origin was looked at before */
};

struct call_request {
	const struct call_origin *from; /* NULL: nobody */
	const char *method;		/* "GET", "POST", "PATCH", "DELETE" */
	const char *path;
	const char *accept, *content_type; /* NULL: none */
	const char *idempotency_key;
	const char *body; /* NULL: none */
	size_t body_len;
	/* For handlers that know of it: call_subject. The caller's; must live
	 * until done. */
	void *subject;
	/* Called once, never before call_start returns; body is valid until
	 * then only. */
	void (*done)(void *arg, int status, const char *body, size_t len);
	void *arg;
};

/* Runs the route that the path has. */
struct call *call_start(const struct call_request *);
/* Runs these steps, which must be resident, whatever the path. */
struct call *call_steps(const struct call_request *, enum policy_action,
    const struct flow_step *steps, size_t state_size);
void call_forget(struct call *); /* done is not called any more */

/* NULL: it is a request of a client. */
void *call_subject(const struct flow *);
bool flow_is_call(const struct flow *);

/* Once per worker. */
int call_init(void);

#endif
