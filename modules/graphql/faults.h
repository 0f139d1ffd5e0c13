/* faults.h - what is wrong with a document or a schema: any number of faults,
 * each with its places.
 *
 * Owner:    all memory is of the struct mem it was created with.
 * Process:  private.
 * Fails:    sticky, through mem_failed; a list that is full takes no more and
 *           says so in its last fault ("too_many_errors").
 */
#ifndef OPEN_GRAPHQL_FAULTS_H
#define OPEN_GRAPHQL_FAULTS_H

#include "graphql/ast.h"

struct gql_fault {
	struct gql_fault *next;
	const char *code;    /* a literal, part of the API */
	const char *message; /* a sentence, at most GQL_MESSAGE_MAX bytes */
	struct gql_place *places; /* in the document's text */
	uint32_t place_count;
};

struct gql_faults {
	struct mem *mem;
	struct gql_fault *first, **last;
	uint32_t count;
	uint32_t max; /* faults; then one more that says so */
	bool full;
};

#define GQL_FAULTS_MAX 100u /* as the reference implementation stops */

/* max: at least 1; 0: GQL_FAULTS_MAX. */
void gql_faults_create(struct gql_faults *faults, struct mem *m, uint32_t max);

/* Adds one with a place (its line 0: none). NULL when memory is out or the
 * list is full. */
struct gql_fault *gql_fault_add(struct gql_faults *faults, const char *code,
    struct gql_place at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* One more place of it; fault may be NULL, a place with line 0 is not added. */
void gql_fault_at(
    struct gql_faults *faults, struct gql_fault *fault, struct gql_place at);

#endif
