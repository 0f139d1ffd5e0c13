/* cursor.h - a place in a list as opaque text: the values of its order in a
 * row.
 *
 * Trust:    whoever sends one may have made it up: each value is checked
 *           against the order's type before the database sees it.
 * Process:  pure.
 */
#ifndef OPEN_GRAPHQL_CURSOR_H
#define OPEN_GRAPHQL_CURSOR_H

#include "graphql/plan.h"
#include "graphql/wire.h"

#define CURSOR_TEXT_MAX 8192

/* The cursor of a row; cells by column. NULL: out of memory. */
const char *cursor_make(
    struct mem *, const struct plan_page *, const struct wire *cells);
/* The i-th value as SQL text, NULL in *value: null. False: not a cursor of this
 * order. */
bool cursor_value(struct mem *, const struct plan_page *, const char *text,
    unsigned i, const char **value);

#endif
