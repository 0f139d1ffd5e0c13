/* execute_steps.h - what execute.c (queries) and mutate.c (mutations) share.
 *
 * Lifetime: what is found holds until the next wait of the flow.
 */
#ifndef OPEN_GRAPHQL_EXECUTE_STEPS_H
#define OPEN_GRAPHQL_EXECUTE_STEPS_H

#include "graphql/cache.h"
#include "graphql/execute.h"

struct found {
	const struct gql_schema *schema;
	struct cached *document;
	const struct gql_definition *operation;
	const struct query_plan *plan;
	unsigned uses;
};

/* The document, its operation and its plan; EXECUTION_READY or _REFUSED. */
enum execution_step execute_find(
    struct flow *, struct execution *, struct writer *, struct found *);

/* Asks for a root field. result: of a mutation, else NULL. False: nothing was
 * asked, r may tell an error. */
bool execute_ask_root(struct flow *, const struct execution *,
    const struct plan_root *, const struct uuid *result,
    struct execution_root *r, struct flow_ask *ask, unsigned uses);

/* Writes a root field from the rows of the flow's i-th question; false: data is
 * null. */
bool execute_write_rows(
    struct flow *, struct writer *, const struct plan_root *, unsigned i);

/* --- mutate.c ------------------------------------------------------------- */

/* Runs the root fields one after the other: again until it is READY. */
enum execution_step mutate_step(
    struct flow *, struct execution *, struct writer *);
/* What it left of a field; false: data is null. */
bool mutate_write_root(
    struct writer *, const struct plan_root *, const struct execution_root *);

#endif
