/* http_request.h - what a request over HTTP asks of GraphQL (GraphQL over HTTP,
 * github.com/graphql/graphql-over-http): by POST with a body of JSON, or by GET
 * with parameters.
 *
 * Process: a worker's event loop; memory of the flow.
 */
#ifndef OPEN_GRAPHQL_HTTP_REQUEST_H
#define OPEN_GRAPHQL_HTTP_REQUEST_H

#include "graphql/execute.h"

enum media {
	MEDIA_NONE, /* nothing that we have is accepted */
	MEDIA_JSON,
	MEDIA_GRAPHQL
};

/* What the Accept header prefers (RFC 9110, 12.5.1); without one MEDIA_JSON. */
enum media http_media(const char *accept);

/* The setting graphql_status_codes is draft, and the answer of the media type
 * that it speaks of. */
bool http_draft(struct flow *);
/* The status of a request that is JSON and not a request of GraphQL. */
int http_malformed(struct flow *);

/* Fills text, operation_name, variables, extensions. FLOW_NEXT, or FLOW_DONE
 * after answering 400, 413, 415 or 422. */
enum flow_next http_read(struct flow *, struct execution *);

#endif
