/* collect.c - the fields of an object in the specification's order; the
 * variables that decide about them. */
#include "graphql/collect.h"

#include <string.h>

/* One collection: what was found so far, by response name. */
struct gathering {
	struct gql_collector *c;
	const struct gql_type *object;
	struct gql_table table;
	struct gql_collected *first, **last;
};

int
gql_collector_create(struct gql_collector *c, struct mem *m,
    const struct gql_schema *schema, const struct gql_document *document,
    gql_boolean_variable variable, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->mem = m;
	c->schema = schema;
	c->variable = variable;
	c->arg = arg;
	if (gql_fragments_create(&c->fragments, m, document) != 0)
		return -1;
	c->entered = mem_array(m, c->fragments.count + 1, sizeof(*c->entered));
	return c->entered == NULL ? -1 : 0;
}

/* The value of the argument "if" of a directive, NULL if it has none. */
static const struct gql_value *
condition(const struct gql_directive *directive)
{
	for (const struct gql_argument *a = directive->arguments; a != NULL;
	     a = a->next) {
		if (gql_name_is(&a->name, "if", 2))
			return a->value;
	}
	return NULL;
}

static bool
is_true(const struct gql_collector *c, const struct gql_value *value)
{
	struct gql_name name;

	if (value == NULL)
		return false;
	if (value->kind != GQL_VALUE_VARIABLE)
		return value->kind == GQL_VALUE_BOOLEAN && value->boolean;
	if (c->variable == NULL)
		return false;
	name.s = value->text;
	name.len = value->len;
	name.at = value->at;
	return c->variable(c->arg, &name);
}

static bool
included(const struct gql_collector *c, const struct gql_directive *directives)
{
	for (const struct gql_directive *d = directives; d != NULL;
	     d = d->next) {
		if (gql_name_is(&d->name, "skip", 4) &&
		    is_true(c, condition(d)))
			return false;
		if (gql_name_is(&d->name, "include", 7) &&
		    !is_true(c, condition(d)))
			return false;
	}
	return true;
}

static bool
node_add(struct mem *m, struct gql_collected *field,
    const struct gql_selection *node)
{
	const struct gql_selection **grown;

	if (field->node_count == field->node_room) {
		field->node_room =
		    field->node_room == 0 ? 1 : 2 * field->node_room;
		grown = mem_array(
		    m, field->node_room, sizeof(const struct gql_selection *));
		if (grown == NULL)
			return false;
		if (field->node_count > 0)
			memcpy(grown, field->nodes,
			    field->node_count *
				sizeof(const struct gql_selection *));
		field->nodes = grown;
	}
	field->nodes[field->node_count++] = node;
	return true;
}

static void
gather_field(struct gathering *g, const struct gql_selection *node)
{
	const struct gql_name *response =
	    node->alias.s != NULL ? &node->alias : &node->name;
	struct gql_collected *field =
	    gql_table_find(&g->table, response->s, response->len);
	const struct gql_field *def;

	if (field == NULL) {
		def = gql_schema_field(
		    g->c->schema, g->object, node->name.s, node->name.len);
		if (def == NULL)
			return;
		field = mem_alloc(g->c->mem, sizeof(*field));
		if (field == NULL)
			return;
		field->response = *response;
		field->field = def;
		(void)gql_table_add(&g->table, field);
		*g->last = field;
		g->last = &field->next;
	}
	(void)node_add(g->c->mem, field, node);
}

/* Does a condition on a type (NULL: none) hold for the object? */
static bool
applies(const struct gathering *g, const struct gql_type_ref *ref)
{
	const struct gql_type *type;

	if (ref == NULL)
		return true;
	type = gql_schema_type(g->c->schema, ref->name.s, ref->name.len);
	return type != NULL &&
	       (type == g->object || gql_type_has_possible(type, g->object));
}

static void gather(struct gathering *g, const struct gql_selection_set *set);

static void
gather_spread(struct gathering *g, const struct gql_selection *node)
{
	const struct gql_fragment *fragment =
	    gql_fragments_find(&g->c->fragments, &node->name);

	if (fragment == NULL ||
	    g->c->entered[fragment->index] == g->c->collection)
		return;
	g->c->entered[fragment->index] = g->c->collection;
	if (applies(g, fragment->node->condition))
		gather(g, fragment->node->set);
}

/* The depth is that of the brackets in the text plus the fragments entered,
 * each once: bounded by the parser's limits. */
static void
gather(struct gathering *g, const struct gql_selection_set *set)
{
	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		if (!included(g->c, s->directives))
			continue;
		if (s->kind == GQL_FIELD)
			gather_field(g, s);
		else if (s->kind == GQL_FRAGMENT_SPREAD)
			gather_spread(g, s);
		else if (applies(g, s->condition))
			gather(g, s->set);
	}
}

static void
gathering_create(
    struct gathering *g, struct gql_collector *c, const struct gql_type *object)
{
	memset(g, 0, sizeof(*g));
	g->c = c;
	g->object = object;
	g->last = &g->first;
	gql_table_create(&g->table, c->mem);
	c->collection++;
}

int
gql_collect(struct gql_collector *c, const struct gql_type *object,
    const struct gql_selection_set *set, struct gql_collected **out)
{
	struct gathering g;

	gathering_create(&g, c, object);
	gather(&g, set);
	*out = g.first;
	return mem_failed(c->mem) ? -1 : 0;
}

int
gql_collect_below(struct gql_collector *c, const struct gql_type *object,
    const struct gql_collected *field, struct gql_collected **out)
{
	struct gathering g;

	gathering_create(&g, c, object);
	for (uint32_t i = 0; i < field->node_count; i++) {
		if (field->nodes[i]->set != NULL)
			gather(&g, field->nodes[i]->set);
	}
	*out = g.first;
	return mem_failed(c->mem) ? -1 : 0;
}

/* Conditions ----------------------------------------------------------------*/

struct search {
	struct gql_collector *c;
	struct gql_table seen;
	void (*each)(void *arg, const struct gql_name *variable);
	void *arg;
};

static void
search_directives(struct search *s, const struct gql_directive *directives)
{
	const struct gql_value *value;
	struct gql_name *name;

	for (const struct gql_directive *d = directives; d != NULL;
	     d = d->next) {
		if (!gql_name_is(&d->name, "skip", 4) &&
		    !gql_name_is(&d->name, "include", 7))
			continue;
		value = condition(d);
		if (value == NULL || value->kind != GQL_VALUE_VARIABLE ||
		    gql_table_find(&s->seen, value->text, value->len) != NULL)
			continue;
		name = mem_alloc(s->c->mem, sizeof(*name));
		if (name == NULL)
			return;
		name->s = value->text;
		name->len = value->len;
		name->at = value->at;
		(void)gql_table_add(&s->seen, name);
		s->each(s->arg, name);
	}
}

static void
search_set(struct search *s, const struct gql_selection_set *set)
{
	const struct gql_fragment *fragment;

	for (const struct gql_selection *x = set->first; x != NULL;
	     x = x->next) {
		search_directives(s, x->directives);
		if (x->kind != GQL_FRAGMENT_SPREAD) {
			if (x->set != NULL)
				search_set(s, x->set);
			continue;
		}
		fragment = gql_fragments_find(&s->c->fragments, &x->name);
		if (fragment == NULL ||
		    s->c->entered[fragment->index] == s->c->collection)
			continue;
		s->c->entered[fragment->index] = s->c->collection;
		search_set(s, fragment->node->set);
	}
}

int
gql_collect_conditions(struct gql_collector *c,
    const struct gql_definition *operation,
    void (*each)(void *arg, const struct gql_name *variable), void *arg)
{
	struct search s = {.c = c, .each = each, .arg = arg};

	gql_table_create(&s.seen, c->mem);
	c->collection++;
	search_set(&s, operation->set);
	return mem_failed(c->mem) ? -1 : 0;
}

/* Operations ----------------------------------------------------------------*/

const struct gql_definition *
gql_operation_find(const struct gql_document *document, const char *name,
    size_t len, struct gql_error *e)
{
	const struct gql_definition *found = NULL;
	const struct gql_place nowhere = {0, 0};

	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		if (d->kind != GQL_DEF_OPERATION)
			continue;
		if (name == NULL && found != NULL) {
			(void)gql_fail(e, "operation_name_needed", nowhere,
			    "The document has several operations: say which "
			    "one with operationName.");
			return NULL;
		}
		if (name == NULL ||
		    (d->name.s != NULL && gql_name_is(&d->name, name, len)))
			found = d;
	}
	if (found != NULL)
		return found;
	if (name == NULL)
		(void)gql_fail(e, "operation_not_found", nowhere,
		    "The document has no operation.");
	else
		(void)gql_fail(e, "operation_not_found", nowhere,
		    "The document has no operation of the name \"%.*s\".",
		    (int)(len < 100 ? len : 100), name);
	return NULL;
}
