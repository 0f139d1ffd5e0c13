/* bind.h - the schema, made from web's tables when the module is loaded, each
 * type and field bound to what it stands for there.
 *
 * Bindings: types of objects: struct graph; their fields: struct graph_member;
 *           fields of Query: struct query_field (select.h).
 * Lifetime: until the module is unloaded.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_GRAPHQL_BIND_H
#define OPEN_GRAPHQL_BIND_H

#include "graphql/schema.h"

/* Made at the first call. NULL: it can't be (message tells why). */
const struct gql_schema *bind_schema(const char **message);
void bind_free(void);

#endif
