/* variables.h - the values of an operation's variables: defaults put in, what
 * must be there demanded (6.1.2).
 *
 * Process: pure; memory from the caller's.
 */
#ifndef OPEN_GRAPHQL_VARIABLES_H
#define OPEN_GRAPHQL_VARIABLES_H

#include "dag/json.h"
#include "graphql/schema.h"

/* given, *out: an object or NULL. -1 and e with a place: "invalid_variable". */
int variables_coerce(struct mem *, const struct gql_schema *,
    const struct gql_definition *operation, const struct json *given,
    const struct json **out, struct gql_error *e);

#endif
