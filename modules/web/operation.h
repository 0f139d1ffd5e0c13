/* operation.h - a GraphQL operation of a client that takes more than one answer:
 * over a WebSocket or an event stream.
 *
 * It runs POST /graphql (call.h) with the client's credentials; a query or a
 * mutation answers once and completes, a subscription lives on in
 * subscription.h.
 *
 * Owner:    whoever started it, until `complete`, `error` or operation_end;
 *           after these it is gone and nothing is called any more.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_OPERATION_H
#define OPEN_WEB_OPERATION_H

#include "web/call.h"

struct operation;

/* None of them may end an operation but complete and error, which have. */
struct operation_events {
	/* payload: a response of GraphQL (data, errors). */
	void (*next)(void *arg, const char *payload, size_t len);
	/* A list of GraphQL's errors: nothing was executed. */
	void (*error)(void *arg, const char *errors, size_t len);
	void (*complete)(void *arg);
	/* The credentials don't count (any more): instead of error. */
	void (*refused)(void *arg);
};

/* body: JSON of query, variables, operationName, extensions; copied. origin must
 * live as long as the operation. NULL: out of memory. */
struct operation *operation_start(const struct call_origin *, const char *body,
    size_t len, const struct operation_events *, void *arg);
void operation_end(struct operation *);

/* GraphQL's list of errors from the body of an answer: its own, or those of
 * JSON:API. */
void operation_errors(struct buf *, const char *body, size_t len);

#endif
