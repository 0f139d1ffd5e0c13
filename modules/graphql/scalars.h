/* scalars.h - which JSON is a value of the schema's own scalars.
 *
 * DateTime: RFC 3339. Duration: ISO 8601 up to weeks, or a document's ("1h").
 * UUID: RFC 9562. JSON has no rule: any value is one.
 *
 * Process: constant; any thread.
 */
#ifndef OPEN_GRAPHQL_SCALARS_H
#define OPEN_GRAPHQL_SCALARS_H

#include "graphql/values.h"

extern const struct gql_scalar_rule scalar_rules[];
extern const size_t scalar_rule_count;

#endif
