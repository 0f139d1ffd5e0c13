/* check_fields.c - rules about selections, seen in one walk through a
 * definition: fields known, leaves, conditions, spreads (5.3, 5.5). */
#include "graphql/check.h"

struct walk {
	struct gql_check *c;
	struct gql_part *part;
};

static void walk_set(struct walk *w, const struct gql_selection_set *set,
    const struct gql_type *type, const struct gql_field *field);

static void
walk_field(struct walk *w, const struct gql_selection *node,
    const struct gql_type *parent)
{
	const struct gql_field *field = NULL;
	const struct gql_type *named = NULL;

	if (parent != NULL) {
		field = gql_schema_field(
		    w->c->schema, parent, node->name.s, node->name.len);
		if (field == NULL)
			(void)gql_check_fail(w->c, node->at,
			    "The type has no such field", &node->name);
	}
	if (field != NULL) {
		named = gql_type_named(field->type);
		if (gql_type_is_leaf(named) && node->set != NULL)
			(void)gql_check_fail(w->c, node->set->at,
			    "The field has no fields to select", &node->name);
		else if (!gql_type_is_leaf(named) && node->set == NULL)
			(void)gql_check_fail(w->c, node->at,
			    "Fields of the field must be selected",
			    &node->name);
	}
	gql_check_arguments(w->c, w->part, node, field);
	gql_check_directives(
	    w->c, w->part, node->directives, GQL_ON_FIELD, field);
	if (node->set != NULL)
		walk_set(w, node->set, named, field);
}

/* The type of a condition; a fault if it isn't one that has objects. */
static const struct gql_type *
condition(struct gql_check *c, const struct gql_type_ref *ref)
{
	const struct gql_type *type =
	    gql_schema_type(c->schema, ref->name.s, ref->name.len);

	if (type == NULL)
		(void)gql_check_fail(c, ref->at, "Unknown type", &ref->name);
	else if (!gql_type_is_composite(type))
		(void)gql_check_fail(c, ref->at,
		    "A fragment can't be on a type without fields", &ref->name);
	return type;
}

static void
walk_inline(struct walk *w, const struct gql_selection *node,
    const struct gql_type *parent, const struct gql_type *outer,
    const struct gql_field *field)
{
	const struct gql_type *type = outer;

	if (node->condition != NULL) {
		type = condition(w->c, node->condition);
		if (gql_type_is_composite(type) && parent != NULL &&
		    !gql_types_overlap(w->c->schema, type, parent))
			(void)gql_check_fail(w->c, node->at,
			    "No object here can be of the fragment's type",
			    &type->name);
	}
	gql_check_directives(
	    w->c, w->part, node->directives, GQL_ON_INLINE_FRAGMENT, field);
	walk_set(w, node->set, type, field);
}

static void
walk_spread(struct walk *w, const struct gql_selection *node,
    const struct gql_type *parent, const struct gql_field *field)
{
	struct gql_spread *spread = mem_alloc(w->c->mem, sizeof(*spread));
	const struct gql_type_ref *ref;
	const struct gql_type *type;

	if (spread == NULL)
		return;
	spread->node = node;
	spread->fragment = gql_fragments_find(&w->c->fragments, &node->name);
	*w->part->last_spread = spread;
	w->part->last_spread = &spread->next;
	gql_check_directives(
	    w->c, w->part, node->directives, GQL_ON_FRAGMENT_SPREAD, field);
	if (spread->fragment == NULL) {
		(void)gql_check_fail(
		    w->c, node->name.at, "Unknown fragment", &node->name);
		return;
	}
	ref = spread->fragment->node->condition;
	type = gql_schema_type(w->c->schema, ref->name.s, ref->name.len);
	if (gql_type_is_composite(type) && parent != NULL &&
	    !gql_types_overlap(w->c->schema, type, parent))
		(void)gql_check_fail(w->c, node->at,
		    "No object here can be of the fragment's type",
		    &node->name);
}

/* type: of what the set is about (NULL: unknown); it may be a leaf. field: the
 * one around it. */
static void
walk_set(struct walk *w, const struct gql_selection_set *set,
    const struct gql_type *type, const struct gql_field *field)
{
	const struct gql_type *parent =
	    gql_type_is_composite(type) ? type : NULL;

	for (const struct gql_selection *s = set->first;
	     s != NULL && !w->c->faults->full && !mem_failed(w->c->mem);
	     s = s->next) {
		if (s->kind == GQL_FIELD)
			walk_field(w, s, parent);
		else if (s->kind == GQL_FRAGMENT_SPREAD)
			walk_spread(w, s, parent, field);
		else
			walk_inline(w, s, parent, type, field);
	}
}

/* Variables' definitions --------------------------------------------------- */

static void
check_unique_variables(
    struct gql_check *c, const struct gql_definition *operation)
{
	struct seen {
		struct gql_name name;
		struct gql_fault *fault;
	} * seen, *before;
	struct gql_table table;

	gql_table_create(&table, c->mem);
	for (const struct gql_variable_definition *v = operation->variables;
	     v != NULL; v = v->next) {
		seen = mem_alloc(c->mem, sizeof(*seen));
		if (seen == NULL)
			return;
		seen->name = v->name;
		before = gql_table_add(&table, seen);
		if (before == NULL)
			continue;
		if (before->fault == NULL)
			before->fault = gql_check_fail(c, before->name.at,
			    "There are several variables of one name",
			    &v->name);
		gql_fault_at(c->faults, before->fault, v->name.at);
	}
}

static void
check_variable_type(
    struct gql_check *c, const struct gql_variable_definition *v)
{
	const struct gql_type_ref *ref = v->type;
	const struct gql_type *type = gql_schema_ref(c->schema, c->mem, ref);

	while (ref->of != NULL)
		ref = ref->of;
	if (gql_schema_type(c->schema, ref->name.s, ref->name.len) == NULL)
		(void)gql_check_fail(c, ref->at, "Unknown type", &ref->name);
	else if (!gql_type_is_input(type))
		(void)gql_check_fail(c, v->type->at,
		    "A variable can't be of this type", &ref->name);
	if (v->default_value != NULL)
		gql_check_constant(
		    c, v->default_value, gql_type_is_input(type) ? type : NULL);
}

void
gql_check_definition(struct gql_check *c,
    const struct gql_definition *definition, struct gql_part *part)
{
	static const enum gql_directive_location locations[] = {
	    [GQL_QUERY] = GQL_ON_QUERY,
	    [GQL_MUTATION] = GQL_ON_MUTATION,
	    [GQL_SUBSCRIPTION] = GQL_ON_SUBSCRIPTION,
	};
	struct walk w = {.c = c, .part = part};
	struct gql_part unused = {.node = definition};

	if (definition->kind == GQL_DEF_FRAGMENT) {
		gql_check_directives(c, part, definition->directives,
		    GQL_ON_FRAGMENT_DEFINITION, NULL);
		walk_set(&w, definition->set,
		    condition(c, definition->condition), NULL);
		return;
	}
	unused.last_usage = &unused.usages;
	check_unique_variables(c, definition);
	for (const struct gql_variable_definition *v = definition->variables;
	     v != NULL && !c->faults->full; v = v->next) {
		check_variable_type(c, v);
		gql_check_directives(c, &unused, v->directives,
		    GQL_ON_VARIABLE_DEFINITION, NULL);
	}
	gql_check_directives(c, part, definition->directives,
	    locations[definition->operation], NULL);
	walk_set(
	    &w, definition->set, c->schema->roots[definition->operation], NULL);
}
