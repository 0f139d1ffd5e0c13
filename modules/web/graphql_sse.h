/* graphql_sse.h - GraphQL over server-sent events: the protocol of graphql-sse
 * (github.com/enisdenjo/graphql-sse, PROTOCOL.md), distinct connections mode.
 *
 * One operation a request: events `next`, then `complete`, then the end of the
 * connection. Errors before execution are a `next` with errors. A client that
 * is too slow, or whose credentials stop counting, is cut off without
 * `complete`, so that it asks again.
 *
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_GRAPHQL_SSE_H
#define OPEN_WEB_GRAPHQL_SSE_H

#include "web/flow.h"

/* Whether a client's request asks for an event stream. */
bool graphql_sse_wanted(struct flow *);
/* A request that passed the checks, its body a request of GraphQL: takes its
 * connection. */
enum flow_next graphql_sse_accept(struct flow *);

void graphql_sse_start(void); /* once per worker */

#endif
