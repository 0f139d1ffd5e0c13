/* values.h - values that come from outside, made what their types say:
 * variables (6.1.2) and arguments (6.4.1) of an operation, with defaults put in,
 * single values put into lists, and variables inside literals replaced.
 *
 * Owner:    what comes out lives in c->mem, and may share parts of what was
 *           given.
 * Values:   JSON; an enum's value is its name, an ID a string. A member that is
 *           absent is undefined, which is not null.
 * Fails:    each fault goes to c->faults: "invalid_variable" at the variable's
 *           definition, its text telling where in the value ($in.list[2].name);
 *           "invalid_value" where a literal stands; or "too_many_items". Places
 *           are those of the reference implementation.
 * Process:  pure, any thread. Recursion is as deep as the values are, which
 *           gql_parse and json_parse bound.
 */
#ifndef OPEN_GRAPHQL_VALUES_H
#define OPEN_GRAPHQL_VALUES_H

#include "dag/json.h"
#include "graphql/schema.h"

/* Is v (never null) a value of a custom scalar? */
struct gql_scalar_rule {
	const char *name;
	bool (*fits)(const struct json *v);
};

struct gql_coercion {
	struct mem *mem;
	const struct gql_schema *schema;
	struct gql_faults *faults;
	/* Custom scalars that not every value is one of. */
	const struct gql_scalar_rule *rules;
	size_t rule_count;
	uint32_t items_max; /* of all lists and objects together; 0: 100,000 */
	uint32_t items;	    /* so far; 0 at first */
};

/* given: an object, or NULL. *out has a member for each variable that has a
 * value. */
int gql_variables_coerce(struct gql_coercion *c,
    const struct gql_definition *operation, const struct json *given,
    const struct json **out);

/* A literal of an input type. variables: from gql_variables_coerce, or NULL.
 * NULL with a fault, or when memory is out (mem_failed); also NULL, without
 * one, for a variable that has no value. */
const struct json *gql_literal_coerce(struct gql_coercion *c,
    const struct gql_value *value, const struct gql_type *type,
    const struct json *variables);

/* The arguments of a field or a directive that stands at a place. */
int gql_arguments_coerce(struct gql_coercion *c, const struct gql_input *inputs,
    uint32_t count, const struct gql_argument *arguments, struct gql_place at,
    const struct json *variables, const struct json **out);

#endif
