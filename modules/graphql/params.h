/* params.h - the values of a statement's parameters, from the document and the
 * variables of a request.
 *
 * Process: pure; memory from the request's.
 */
#ifndef OPEN_GRAPHQL_PARAMS_H
#define OPEN_GRAPHQL_PARAMS_H

#include "graphql/plan.h"

/* -1 and e with a place: "invalid_argument", "invalid_cursor". */
int params_make(const struct plan_root *, const struct json *variables,
    const struct uuid *user, const struct uuid *subject, struct sql_params *,
    struct gql_error *e);

/* How many rows a page has; -1 and e: out of its bounds. e may be NULL. */
int64_t params_page_size(struct mem *, const struct plan_page *,
    const struct json *variables, struct gql_error *e);

/* "PT1H2M3.5S", or "250ms" as documents have it; false: neither. */
bool params_duration(const char *text, size_t len, int64_t *us);

#endif
