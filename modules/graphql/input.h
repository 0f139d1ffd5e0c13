/* input.h - values of arguments, whether they stand in the document or in the
 * variables.
 *
 * Process: pure; memory from the caller's.
 */
#ifndef OPEN_GRAPHQL_INPUT_H
#define OPEN_GRAPHQL_INPUT_H

#include "graphql/plan.h"

/* A variable in `value` is looked up. */
struct plan_input input_of(
    struct mem *, const struct json *variables, const struct gql_value *value);
/* An argument of a field; none: absent. */
struct plan_input input_argument(struct mem *, const struct json *variables,
    const struct gql_selection *, const char *name);
bool input_given(const struct plan_input *);   /* also null */
bool input_present(const struct plan_input *); /* neither absent nor null */

/* A field of an object; none: absent. */
struct plan_input input_field(struct mem *, const struct json *variables,
    const struct plan_input *, const char *name);
/* What else there is: calls for each field. */
struct input_member {
	const char *name;
	size_t len;
	struct plan_input value;
};
unsigned input_member_count(const struct plan_input *);
bool input_member(struct mem *, const struct json *variables,
    const struct plan_input *, unsigned i, struct input_member *out);
/* Items of a list; a value that is none is a list of one. */
unsigned input_item_count(const struct plan_input *);
struct plan_input input_item(struct mem *, const struct json *variables,
    const struct plan_input *, unsigned i);

/* The text of a scalar or an enum; NULL: it is none (null, absent, a list, an
 * object). Booleans are "true" and "false". NUL-terminated, in mem or
 * elsewhere. */
const char *input_text(struct mem *, const struct plan_input *, size_t *len);
bool input_boolean(const struct plan_input *, bool *out);

/* The same value in other variables. */
struct plan_input input_again(
    const struct plan_input *, const struct json *variables);

#endif
