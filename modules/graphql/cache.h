/* cache.h - documents that were asked before: parsed, validated, planned.
 *
 * Key:      a document by its whole text; its plans by the operation and the
 *           shape of its variables (which are there, which are null, the values
 *           of Booleans and enums): what decides about a statement.
 * Owner:    the module; a worker's. Bounded in bytes; the one that was not used
 *           for longest goes first.
 * Lifetime: what is found holds until the next call of this file: never across
 *           a wait.
 * Reload:   freed with the module.
 */
#ifndef OPEN_GRAPHQL_CACHE_H
#define OPEN_GRAPHQL_CACHE_H

#include "graphql/plan.h"

struct cached;

/* The document, parsed and valid. NULL: faults tell what is wrong (in m). */
struct cached *cache_document(struct mem *m, const struct gql_schema *,
    const char *text, size_t len, struct gql_faults *faults);
const struct gql_document *cached_document(const struct cached *);

/* The plan of an operation. uses: how often it was found before. NULL: e. */
const struct query_plan *cache_plan(struct cached *, const struct gql_schema *,
    const struct gql_definition *operation, const struct json *variables,
    unsigned *uses, struct gql_error *e);

void cache_free(void);

#endif
