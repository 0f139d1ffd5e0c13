/* introspect.h - answers __schema and __type from the schema alone.
 *
 * Process:  pure; memory from the collector's struct mem.
 */
#ifndef OPEN_GRAPHQL_INTROSPECT_H
#define OPEN_GRAPHQL_INTROSPECT_H

#include "base/buf.h"
#include "graphql/collect.h"

/* A string variable's value (NULL: none), for __type(name: $name) */
typedef const struct gql_text *(*gql_string_variable)(
    void *arg, const struct gql_name *name);

struct gql_introspection {
	struct gql_collector *collector; /* its variables are asked for
					  * Booleans in arguments too */
	gql_string_variable string;
	void *arg;
	size_t limit; /* bytes in out; 0: 4 MiB */
};

/* Is it one gql_introspect answers? */
bool gql_is_introspection(
    const struct gql_schema *schema, const struct gql_collected *field);

/* Writes the value of a field __schema or __type (of the query's root) as JSON
 * to out, or null for a type there isn't. -1: memory is out, or the limit
 * reached (e: "out_of_memory", "response_too_large"). */
int gql_introspect(struct gql_introspection *in,
    const struct gql_collected *field, struct buf *out, struct gql_error *e);

#endif
