/* shape.h - what of an operation's variables decides about its statements.
 *
 * Equal hashes mean equal statements: absent, null or there; the values of
 * Booleans and enums; which fields an object has; how many objects a list has.
 *
 * Process: pure.
 */
#ifndef OPEN_GRAPHQL_SHAPE_H
#define OPEN_GRAPHQL_SHAPE_H

#include "dag/json.h"
#include "graphql/schema.h"

/* variables: coerced; NULL: none. */
uint64_t shape_of(const struct gql_schema *,
    const struct gql_definition *operation, const struct json *variables);

#endif
