/* subscribe.h - an operation that is a subscription: from its plan to what the
 * resident part needs to tell events (web/subscription.h).
 *
 * Process:  a worker's event loop.
 */
#ifndef OPEN_GRAPHQL_SUBSCRIBE_H
#define OPEN_GRAPHQL_SUBSCRIBE_H

#include "graphql/plan.h"
#include "web/flow.h"

/* Whether the operation may be handled in this request: a query always, a
 * subscription where its answers can follow. -1: e. */
int subscribe_check(
    const struct flow *, const struct gql_definition *, struct gql_error *e);
/* Whether the request subscribes. */
bool subscribe_wanted(const struct flow *, const struct gql_definition *);
/* Asks for the execution. variables: coerced. FLOW_NEXT: e. */
enum flow_next subscribe_ask(struct flow *, const struct query_plan *,
    const struct json *variables, struct gql_error *e);
/* Of a snapshot: the object that the root field is; NULL: none. */
const struct uuid *subscribe_subject(const struct flow *);

#endif
