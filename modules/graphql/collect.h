/* collect.h - which fields an operation asks of an object, in the
 * specification's order (6.3.2, CollectFields): fields of the same response
 * name are one, fragments are looked through but never copied, @skip and
 * @include are obeyed.
 *
 * Owner:    all memory is of the struct mem it was made with, and points into
 *           the document and the schema.
 * Process:  private, one thread.
 * Document: parsed and valid (gql_validate); one that isn't gives fewer fields.
 * Time:     a call takes time linear in the selections it looks at: each
 *           fragment is entered once.
 */
#ifndef OPEN_GRAPHQL_COLLECT_H
#define OPEN_GRAPHQL_COLLECT_H

#include "graphql/fragments.h"

struct gql_collected {
	struct gql_name response; /* the alias or the name: where it goes */
	struct gql_collected *next;
	const struct gql_field *field; /* __typename: schema's meta_typename */
	/* Where it stands, in the order of the text; arguments are the same in
	 * all, so the first speaks for them. */
	const struct gql_selection **nodes;
	uint32_t node_count, node_room;
	/* introspect.c's: what is asked of its objects, once it was. */
	struct gql_collected *below;
	bool below_known;
};

/* The value of a variable of type Boolean: true or false. Asked for @skip and
 * @include only. */
typedef bool (*gql_boolean_variable)(void *arg, const struct gql_name *name);

struct gql_collector {
	struct mem *mem;
	const struct gql_schema *schema;
	struct gql_fragments fragments;
	gql_boolean_variable variable;
	void *arg;
	uint32_t *entered; /* by fragment: the last collection it was part of */
	uint32_t collection;
};

/* -1: memory is out. variable may be NULL: all are false. */
int gql_collector_create(struct gql_collector *c, struct mem *m,
    const struct gql_schema *schema, const struct gql_document *document,
    gql_boolean_variable variable, void *arg);

/* Of a selection set (an operation's) for an object type; NULL in *out: none.
 * -1: memory is out. */
int gql_collect(struct gql_collector *c, const struct gql_type *object,
    const struct gql_selection_set *set, struct gql_collected **out);

/* The same of all selection sets below a field; object is (one of) the object
 * types the field can have. */
int gql_collect_below(struct gql_collector *c, const struct gql_type *object,
    const struct gql_collected *field, struct gql_collected **out);

/* Calls once for every variable that decides about a field or fragment
 * anywhere in the operation, fragments included: with the document's hash
 * their values make the key of a plan. -1: memory is out. */
int gql_collect_conditions(struct gql_collector *c,
    const struct gql_definition *operation,
    void (*each)(void *arg, const struct gql_name *variable), void *arg);

/* The operation to run (6.1, GetOperation): by name, or the only one if name
 * is NULL. NULL: there is none, or several; e says which
 * ("operation_not_found", "operation_name_needed"). */
const struct gql_definition *gql_operation_find(
    const struct gql_document *document, const char *name, size_t len,
    struct gql_error *e);

#endif
