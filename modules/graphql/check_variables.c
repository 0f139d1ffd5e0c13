/* check_variables.c - rules about an operation and the fragments it reaches:
 * variables defined, used, of a fitting type (5.8); one root field of a
 * subscription (5.2.4); introspection not too deep. */
#include "graphql/check.h"

#include <string.h>

/* What an operation defines. */
struct variable {
	struct gql_name name;
	const struct gql_variable_definition *node;
	const struct gql_type *type; /* NULL: unknown */
	bool used;
};

struct scope {
	struct gql_check *c;
	const struct gql_definition *operation;
	struct gql_table table;
};

/* May the variable stand where type is expected? (5.8.5) */
static bool
fits(const struct variable *v, const struct gql_usage *usage)
{
	const struct gql_type *type = usage->type;
	const struct gql_value *fallback = v->node->default_value;

	if (type->kind == GQL_NON_NULL && v->type->kind != GQL_NON_NULL) {
		if (!usage->has_default &&
		    (fallback == NULL || fallback->kind == GQL_VALUE_NULL))
			return false;
		type = type->of;
	}
	return gql_type_is_subtype(v->type, type);
}

static void
check_usage(struct scope *s, const struct gql_usage *usage)
{
	struct variable *v =
	    gql_table_find(&s->table, usage->name.s, usage->name.len);

	if (v == NULL) {
		(void)gql_check_fail2(s->c, usage->name.at, s->operation->at,
		    "The operation defines no such variable", &usage->name);
		return;
	}
	v->used = true;
	if (v->type == NULL || usage->type == NULL)
		return;
	if (!fits(v, usage))
		(void)gql_check_fail2(s->c, v->node->at, usage->name.at,
		    "The variable is of a type that doesn't fit here",
		    &usage->name);
	if (usage->one_of && v->type->kind != GQL_NON_NULL)
		(void)gql_check_fail2(s->c, v->node->at, usage->name.at,
		    "The variable must not be null in a one-of input object",
		    &usage->name);
}

static void
check_part(struct scope *s, const struct gql_part *part)
{
	struct gql_check *c = s->c;

	for (const struct gql_usage *u = part->usages;
	     u != NULL && !c->faults->full; u = u->next) {
		if (!gql_check_spend(c, 1))
			return;
		check_usage(s, u);
	}
	for (const struct gql_spread *x = part->spreads; x != NULL;
	     x = x->next) {
		if (!gql_check_spend(c, 1))
			return;
		if (x->fragment == NULL ||
		    c->mark[x->fragment->index] == c->search)
			continue;
		c->mark[x->fragment->index] = c->search;
		check_part(s, &c->parts[x->fragment->index]);
	}
}

static void
check_operation(struct gql_check *c, const struct gql_part *part)
{
	struct scope s = {.c = c, .operation = part->node};
	struct variable *v, *before;

	gql_table_create(&s.table, c->mem);
	for (const struct gql_variable_definition *d = part->node->variables;
	     d != NULL; d = d->next) {
		v = mem_alloc(c->mem, sizeof(*v));
		if (v == NULL)
			return;
		v->name = d->name;
		v->node = d;
		v->type = gql_schema_ref(c->schema, c->mem, d->type);
		before = gql_table_add(&s.table, v);
		if (before != NULL) {
			before->node = d;
			before->type = v->type;
		}
	}
	c->search++;
	check_part(&s, part);
	if (c->stopped)
		return;
	for (const struct gql_variable_definition *d = part->node->variables;
	     d != NULL; d = d->next) {
		v = gql_table_find(&s.table, d->name.s, d->name.len);
		if (v != NULL && !v->used)
			(void)gql_check_fail(
			    c, d->at, "The variable is never used", &d->name);
	}
}

void
gql_check_variables(struct gql_check *c)
{
	for (uint32_t i = 0; i < c->operation_count && !c->faults->full &&
			     !c->stopped && !mem_failed(c->mem);
	     i++)
		check_operation(c, &c->operations[i]);
}

/* Subscriptions ------------------------------------------------------------ */

struct root_field {
	struct gql_name name; /* in the response */
	struct root_field *next;
	const struct gql_selection *node;
	bool first; /* of this name */
};

struct roots {
	struct gql_check *c;
	const struct gql_type *type;
	struct gql_fault *conditions;
	bool conditional;
	struct gql_table table;
	struct root_field *fields, **last;
};

/* Is it left out or taken by a condition? That is a fault here. */
static bool
is_conditional(struct roots *r, const struct gql_selection *node)
{
	static const char *const names[] = {"skip", "include"};
	struct gql_place nowhere = {0, 0};

	for (size_t i = 0; i < 2; i++) {
		const struct gql_directive *d = node->directives;

		while (d != NULL &&
		       !gql_name_is(&d->name, names[i], strlen(names[i])))
			d = d->next;
		if (d == NULL)
			continue;
		if (!r->conditional)
			r->conditions = gql_check_fail(r->c, nowhere,
			    "The root field of a subscription can't depend on "
			    "@skip or @include",
			    NULL);
		r->conditional = true;
		gql_fault_at(r->c->faults, r->conditions, d->at);
		return true;
	}
	return false;
}

static bool
applies(const struct roots *r, const struct gql_type_ref *ref)
{
	const struct gql_type *type;

	if (ref == NULL)
		return true;
	type = gql_schema_type(r->c->schema, ref->name.s, ref->name.len);
	return type != NULL &&
	       (type == r->type || (gql_type_is_abstract(type) &&
				       gql_type_is_subtype(r->type, type)));
}

static void
add_root(struct roots *r, const struct gql_selection *node)
{
	struct root_field *field = mem_alloc(r->c->mem, sizeof(*field));

	if (field == NULL)
		return;
	field->name = node->alias.s != NULL ? node->alias : node->name;
	field->node = node;
	field->first = gql_table_add(&r->table, field) == NULL;
	*r->last = field;
	r->last = &field->next;
}

static void
gather_roots(struct roots *r, const struct gql_selection_set *set)
{
	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		const struct gql_fragment *fragment;

		if (is_conditional(r, s))
			continue;
		if (s->kind == GQL_FIELD) {
			add_root(r, s);
		} else if (s->kind == GQL_INLINE_FRAGMENT) {
			if (applies(r, s->condition))
				gather_roots(r, s->set);
		} else {
			fragment =
			    gql_fragments_find(&r->c->fragments, &s->name);
			if (fragment == NULL ||
			    r->c->mark[fragment->index] == r->c->search)
				continue;
			r->c->mark[fragment->index] = r->c->search;
			if (applies(r, fragment->node->condition))
				gather_roots(r, fragment->node->set);
		}
	}
}

/* Every response name but the first makes one fault together; a name of
 * introspection one for itself. */
static void
judge_roots(struct roots *r, const struct gql_definition *operation)
{
	struct gql_place nowhere = {0, 0};
	struct gql_fault *fault = NULL;
	const struct root_field *one = r->fields;

	if (one == NULL)
		(void)gql_check_fail(r->c, operation->set->at,
		    "A subscription must have a root field", NULL);
	for (const struct root_field *f = one; f != NULL; f = f->next) {
		if (gql_name_equal(&f->name, &one->name))
			continue;
		if (fault == NULL)
			fault = gql_check_fail(r->c, nowhere,
			    "A subscription must have only one root field",
			    NULL);
		gql_fault_at(r->c->faults, fault, f->node->at);
	}
	for (const struct root_field *f = one; f != NULL; f = f->next) {
		if (!f->first || f->node->name.len < 2 ||
		    memcmp(f->node->name.s, "__", 2) != 0)
			continue;
		fault = gql_check_fail(r->c, nowhere,
		    "A subscription can't have a root field of introspection",
		    &f->node->name);
		for (const struct root_field *x = f; x != NULL; x = x->next) {
			if (gql_name_equal(&x->name, &f->name))
				gql_fault_at(r->c->faults, fault, x->node->at);
		}
	}
}

void
gql_check_subscriptions(struct gql_check *c)
{
	const struct gql_type *type = c->schema->roots[GQL_SUBSCRIPTION];

	for (uint32_t i = 0; type != NULL && i < c->operation_count &&
			     !c->faults->full && !mem_failed(c->mem);
	     i++) {
		const struct gql_definition *d = c->operations[i].node;
		struct roots r = {.c = c, .type = type};

		if (d->operation != GQL_SUBSCRIPTION)
			continue;
		r.last = &r.fields;
		gql_table_create(&r.table, c->mem);
		c->search++;
		gather_roots(&r, d->set);
		if (!r.conditional)
			judge_roots(&r, d);
	}
}

/* Introspection ------------------------------------------------------------ */

/* Lists of types within lists of types grow with each level; the reference
 * implementation stops at the same depth. */
#define INTROSPECTION_LISTS_MAX 3u

struct lists {
	struct gql_check *c;
	uint8_t *known; /* by fragment: 1 + the most lists below; 0: not yet */
};

static bool
is_list(const struct gql_name *name)
{
	return gql_name_is(name, "fields", 6) ||
	       gql_name_is(name, "interfaces", 10) ||
	       gql_name_is(name, "possibleTypes", 13) ||
	       gql_name_is(name, "inputFields", 11);
}

static uint8_t
lists_in(struct lists *l, const struct gql_selection_set *set)
{
	uint8_t most = 0, n;

	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		n = 0;
		if (s->kind == GQL_FRAGMENT_SPREAD) {
			const struct gql_fragment *f =
			    gql_fragments_find(&l->c->fragments, &s->name);

			if (f == NULL)
				continue;
			if (l->known[f->index] == 0) {
				l->known[f->index] = 1;
				l->known[f->index] =
				    (uint8_t)(1 + lists_in(l, f->node->set));
			}
			n = (uint8_t)(l->known[f->index] - 1);
		} else {
			if (s->set != NULL)
				n = lists_in(l, s->set);
			if (s->kind == GQL_FIELD && is_list(&s->name))
				n = (uint8_t)(n + 1);
		}
		if (n > INTROSPECTION_LISTS_MAX)
			n = INTROSPECTION_LISTS_MAX;
		if (most < n)
			most = n;
	}
	return most;
}

static void
find_introspection(struct lists *l, const struct gql_selection_set *set)
{
	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		bool meta = s->kind == GQL_FIELD &&
			    (gql_name_is(&s->name, "__schema", 8) ||
				gql_name_is(&s->name, "__type", 6));

		if (s->set == NULL)
			continue;
		if (meta && lists_in(l, s->set) >= INTROSPECTION_LISTS_MAX)
			(void)gql_check_fail(l->c, s->at,
			    "Introspection is nested too deep", &s->name);
		else
			find_introspection(l, s->set);
	}
}

void
gql_check_introspection(struct gql_check *c)
{
	struct lists l = {.c = c};

	l.known =
	    mem_array(c->mem, (size_t)c->fragments.count + 1, sizeof(*l.known));
	for (const struct gql_definition *d = c->document->definitions;
	     l.known != NULL && d != NULL && !c->faults->full; d = d->next) {
		if (d->set != NULL)
			find_introspection(&l, d->set);
	}
}
