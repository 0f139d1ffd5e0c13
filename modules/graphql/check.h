/* check.h - what the rules about executable documents share; private to
 * gql_validate. */
#ifndef OPEN_GRAPHQL_CHECK_H
#define OPEN_GRAPHQL_CHECK_H

#include "graphql/fragments.h"

#define GQL_RULE_CODE	 "graphql_validation"
#define GQL_COMPLEX_CODE "too_complex"

/* A variable where it is used. */
struct gql_usage {
	struct gql_usage *next;
	struct gql_name name;	     /* its place: the dollar */
	const struct gql_type *type; /* expected; NULL: not known */
	bool has_default;	     /* the place has one */
	bool one_of;		     /* it is the field of a one-of input */
};

/* A spread where it stands. */
struct gql_spread {
	struct gql_spread *next;
	const struct gql_selection *node;
	const struct gql_fragment *fragment; /* NULL: unknown */
};

/* What one operation or fragment consists of. */
struct gql_part {
	const struct gql_definition *node;
	struct gql_usage *usages, **last_usage;
	struct gql_spread *spreads, **last_spread;
};

struct gql_check {
	struct mem *mem;
	const struct gql_schema *schema;
	const struct gql_document *document;
	struct gql_faults *faults;
	struct gql_fragments fragments;
	struct gql_part *parts; /* of fragments, by index */
	struct gql_part *operations;
	uint32_t operation_count;
	uint32_t *mark; /* by fragment: a search's number */
	uint32_t search;
	uint64_t work; /* left, see gql_check_spend */
	bool stopped;
};

/* Takes work off what is left. False: there is none; one fault says so. */
bool gql_check_spend(struct gql_check *c, uint64_t work);

/* Adds a fault of a rule: "what: "name"." */
struct gql_fault *gql_check_fail(struct gql_check *c, struct gql_place at,
    const char *what, const struct gql_name *name);
struct gql_fault *gql_check_fail2(struct gql_check *c, struct gql_place at,
    struct gql_place second, const char *what, const struct gql_name *name);

/* Fields, leaves, arguments, values, directives and conditions of one
 * definition; fills part. */
void gql_check_definition(struct gql_check *c,
    const struct gql_definition *definition, struct gql_part *part);

/* Arguments and directives where the field is the one around them (NULL). */
void gql_check_directives(struct gql_check *c, struct gql_part *part,
    const struct gql_directive *directives,
    enum gql_directive_location location, const struct gql_field *field);
void gql_check_arguments(struct gql_check *c, struct gql_part *part,
    const struct gql_selection *node, const struct gql_field *field);
void gql_check_constant(struct gql_check *c, const struct gql_value *value,
    const struct gql_type *type);

/* After all definitions were looked at. */
void gql_check_variables(struct gql_check *c);
void gql_check_subscriptions(struct gql_check *c);
void gql_check_introspection(struct gql_check *c);
void gql_check_overlaps(struct gql_check *c);

#endif
