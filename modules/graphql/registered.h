/* registered.h - operations that an organization registered: where its setting
 * registered_operations_only is true nothing else is executed for it, whatever
 * it comes over; and always they may be asked for by their SHA-256 alone.
 *
 * Asked:   of the database, one row by its key, only by requests that need to
 *          know. An event of a subscription that runs is not a new request.
 * Process: a worker's event loop; memory of the flow.
 */
#ifndef OPEN_GRAPHQL_REGISTERED_H
#define OPEN_GRAPHQL_REGISTERED_H

#include "graphql/execute.h"

/* After persisted_find: FLOW_NEXT, or asks. */
enum flow_next registered_ask(struct flow *, struct execution *);
/* In the step after it: fills in the text, or refuses. FLOW_NEXT or DONE. */
enum flow_next registered_check(struct flow *, struct execution *);

#endif
