/* explain.h - the statements of a request and how PostgreSQL ran them, for whoever
 * develops against the server: `extensions: {"explain": true}` of the request,
 * `extensions.explain` of the answer, where the setting graphql_explain is on.
 *
 * Asked:    as the same actor with the same parameters, beside the statement
 *           itself: every policy holds.
 * Process:  a worker's event loop; memory of the flow.
 */
#ifndef OPEN_GRAPHQL_EXPLAIN_H
#define OPEN_GRAPHQL_EXPLAIN_H

#include "graphql/execute.h"

/* Whether the request asks for it and may. */
bool explain_wanted(const struct execution *);
/* What asks how the statement is run; planned anew. NULL: no memory. */
const struct sql *explain_statement(struct mem *, const struct sql *);
/* Fills r->sql and r->explained from the rows of r->explain, if it was asked. */
void explain_read(
    struct flow *, const struct plan_root *, struct execution_root *);
/* The object `extensions` of the answer; NULL: no memory. */
const char *explain_write(struct mem *, const struct query_plan *,
    const struct execution *, size_t *len);

#endif
