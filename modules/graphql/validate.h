/* validate.h - may this document run against this schema: all rules of the
 * specification's chapter 5, and limits on what a valid one may ask.
 *
 * Process:  pure, any thread; memory from the caller's struct mem.
 * Places:   those of the reference implementation (npm graphql 17), fault by
 *           fault.
 * Time:     fragments are never inlined; the comparison of overlapping fields
 *           is memoised and bounded ("too_complex").
 */
#ifndef OPEN_GRAPHQL_VALIDATE_H
#define OPEN_GRAPHQL_VALIDATE_H

#include "graphql/schema.h"

/* -1: faults holds at least one, or its memory is out (mem_failed). The code of
 * each is "graphql_validation" or "too_complex" (comparing its overlapping
 * fields took too long). */
int gql_validate(const struct gql_schema *schema,
    const struct gql_document *document, struct gql_faults *faults);

/* What an operation may ask; 0: the default. Fragments count where they are
 * spread, though they are never written out. */
struct gql_cost_limits {
	uint32_t depth;	      /* of fields within fields; 20 */
	uint32_t root_fields; /* by response name or not: as written; 20 */
	uint64_t cost;	      /* 1,000,000 */
	uint32_t list_size;   /* of lists whose size nothing says; 50 */
};

/* The value of a variable of type Int, or -1 if it has none (null, absent). */
typedef int64_t (*gql_int_variable)(void *arg, const struct gql_name *name);

struct gql_cost {
	uint32_t depth;
	uint32_t root_fields;
	uint64_t cost; /* UINT64_MAX: at least that */
};

/* Reckons what operation asks: each field's cost (schema.h) times the sizes of
 * the lists above it. The document must be valid. variable may be NULL: no
 * variable has a value (its default counts). introspection is free. -1 and e:
 * "query_too_deep", "too_many_root_fields", "query_too_costly",
 * "out_of_memory". */
int gql_cost_check(struct mem *m, const struct gql_schema *schema,
    const struct gql_document *document, const struct gql_definition *operation,
    const struct gql_cost_limits *limits, gql_int_variable variable, void *arg,
    struct gql_cost *cost, struct gql_error *e);

#endif
