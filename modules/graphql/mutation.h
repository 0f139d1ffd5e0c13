/* mutation.h - a field of Mutation as the REST request that it means.
 *
 * Owner:    everything lives in the struct mem that is passed in.
 * Document: valid, variables coerced; so what is given fits its type.
 * Process:  pure; a worker's event loop.
 */
#ifndef OPEN_GRAPHQL_MUTATION_H
#define OPEN_GRAPHQL_MUTATION_H

#include "graphql/collect.h"
#include "graphql/input.h"
#include "web/graph_mutation.h"

struct mutation_request {
	const struct graph_mutation *mutation;
	const char *method, *path; /* path: percent-encoded */
	const char *body;	   /* NULL: none */
	size_t body_len;
	const char *idempotency_key; /* NULL: none */
};

/* field: of type Mutation. -1: memory is out. */
int mutation_request(struct mem *, const struct gql_collected *field,
    const struct json *variables, struct mutation_request *out);

/* Where a JSON pointer of the request's body stands in the arguments: the
 * pointer's text ("/input/definition/nodes/0"), NULL: nowhere. */
const char *mutation_pointer(
    struct mem *, const struct graph_mutation *, const char *pointer);

#endif
