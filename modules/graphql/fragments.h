/* fragments.h - a document's fragments by name.
 *
 * Owner:    all memory is of the struct mem it was made with.
 * Process:  private; afterwards only read.
 */
#ifndef OPEN_GRAPHQL_FRAGMENTS_H
#define OPEN_GRAPHQL_FRAGMENTS_H

#include "graphql/schema.h"

struct gql_fragment {
	struct gql_name name;
	const struct gql_definition *node;
	uint32_t index; /* 0 … count - 1, in the document's order */
};

struct gql_fragments {
	struct gql_fragment *all;
	uint32_t count;
	struct gql_table table;
};

/* Of two with the same name the last counts, as in the reference
 * implementation (validation refuses them). -1: memory is out. */
int gql_fragments_create(struct gql_fragments *fragments, struct mem *m,
    const struct gql_document *document);

/* NULL: there is none. */
const struct gql_fragment *gql_fragments_find(
    const struct gql_fragments *fragments, const struct gql_name *name);

#endif
