/* check_overlaps.c - fields of one response name must be one field (5.3.2).
 *
 * Fragments are compared as wholes, and a pair only once: which pairs were, is
 * remembered with whether they were compared as fields that can't meet in one
 * object, which asks less. So doubled fragments n levels deep take n² steps,
 * not 2ⁿ. All else that repeats is paid from gql_check_spend.
 * long: one algorithm, read as one. */
#include "graphql/check.h"

#include <string.h>

#define CONFLICT_PLACES 20u   /* of one side, as the reference implementation */
#define NESTING_MAX	1000u /* of comparisons within comparisons */

/* One field as written, with the type it is asked of. */
struct detail {
	struct detail *next;
	const struct gql_type *parent; /* NULL: unknown */
	const struct gql_selection *node;
	const struct gql_field *def; /* NULL: unknown, or introspection's */
};

/* Fields of one response name in one selection set. */
struct group {
	struct gql_name name;
	struct group *next;
	struct detail *first, **last;
};

struct fragment_list {
	struct fragment_list *next;
	const struct gql_fragment *fragment;
};

/* A selection set with its inline fragments, without those it spreads. */
struct fields {
	uint32_t id;
	struct group *groups, **last_group;
	struct gql_table table;
	struct fragment_list *fragments, **last_fragment;
};

struct conflict {
	struct conflict *next;
	const struct gql_name *name;
	const char *why;
	struct gql_place first[CONFLICT_PLACES], second[CONFLICT_PLACES];
	uint32_t first_count, second_count;
};

struct conflicts {
	struct conflict *first, **last;
};

/* Pairs of numbers, each with whether it was compared as exclusive. */
struct pairs {
	uint64_t *keys; /* 0: none; low bit: exclusive */
	uint32_t mask, count;
};

struct overlaps {
	struct gql_check *c;
	struct fields **sets; /* by selection set */
	struct pairs with_fragment, fragments;
	uint32_t nesting;
};

/* Pairs -------------------------------------------------------------------- */

static uint64_t *
pair_slot(const struct pairs *p, uint64_t key)
{
	uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(hash >> 32) & p->mask;

	while (p->keys[i] != 0 && p->keys[i] >> 1 != key)
		i = (i + 1) & p->mask;
	return &p->keys[i];
}

static bool
pairs_grow(struct mem *m, struct pairs *p)
{
	struct pairs bigger = *p;
	uint32_t room = p->keys == NULL ? 64 : 2 * (p->mask + 1);

	bigger.keys = mem_array(m, room, sizeof(*bigger.keys));
	if (bigger.keys == NULL)
		return false;
	bigger.mask = room - 1;
	for (uint32_t i = 0; p->keys != NULL && i <= p->mask; i++) {
		if (p->keys[i] != 0)
			*pair_slot(&bigger, p->keys[i] >> 1) = p->keys[i];
	}
	*p = bigger;
	return true;
}

/* Is there something left to compare for a and b? Then it counts as done. A
 * comparison of what may meet covers that of what can't. */
static bool
pairs_add(
    struct mem *m, struct pairs *p, uint32_t a, uint32_t b, bool exclusive)
{
	uint64_t key = ((uint64_t)a << 31 | b) + 1;
	uint64_t *slot;

	if ((p->keys == NULL || 2 * p->count > p->mask) && !pairs_grow(m, p))
		return false;
	slot = pair_slot(p, key);
	if (*slot != 0 && (exclusive || (*slot & 1) == 0))
		return false;
	if (*slot == 0)
		p->count++;
	*slot = key << 1 | (exclusive ? 1 : 0);
	return true;
}

/* Selection sets ----------------------------------------------------------- */

static void
gather_field(struct overlaps *o, struct fields *fields,
    const struct gql_selection *node, const struct gql_type *parent)
{
	const struct gql_name *name =
	    node->alias.s != NULL ? &node->alias : &node->name;
	struct group *g = gql_table_find(&fields->table, name->s, name->len);
	struct detail *d = mem_alloc(o->c->mem, sizeof(*d));

	if (d == NULL)
		return;
	if (g == NULL) {
		g = mem_alloc(o->c->mem, sizeof(*g));
		if (g == NULL)
			return;
		g->name = *name;
		g->last = &g->first;
		(void)gql_table_add(&fields->table, g);
		*fields->last_group = g;
		fields->last_group = &g->next;
	}
	d->node = node;
	d->parent = parent;
	if (parent != NULL)
		d->def = gql_type_field(parent, node->name.s, node->name.len);
	*g->last = d;
	g->last = &d->next;
}

static void
gather_spread(
    struct overlaps *o, struct fields *fields, const struct gql_selection *node)
{
	const struct gql_fragment *fragment =
	    gql_fragments_find(&o->c->fragments, &node->name);
	struct fragment_list *l;

	if (fragment == NULL || o->c->mark[fragment->index] == o->c->search)
		return;
	o->c->mark[fragment->index] = o->c->search;
	l = mem_alloc(o->c->mem, sizeof(*l));
	if (l == NULL)
		return;
	l->fragment = fragment;
	*fields->last_fragment = l;
	fields->last_fragment = &l->next;
}

static void
gather(struct overlaps *o, struct fields *fields,
    const struct gql_selection_set *set, const struct gql_type *parent)
{
	const struct gql_type *type;

	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		if (s->kind == GQL_FIELD) {
			gather_field(o, fields, s, parent);
		} else if (s->kind == GQL_FRAGMENT_SPREAD) {
			gather_spread(o, fields, s);
		} else {
			type = parent;
			if (s->condition != NULL)
				type = gql_schema_type(o->c->schema,
				    s->condition->name.s,
				    s->condition->name.len);
			gather(o, fields, s->set, type);
		}
	}
}

/* NULL: memory is out. */
static struct fields *
fields_of(struct overlaps *o, const struct gql_selection_set *set,
    const struct gql_type *parent)
{
	struct fields *fields = o->sets[set->id];

	if (fields != NULL)
		return fields;
	fields = mem_alloc(o->c->mem, sizeof(*fields));
	if (fields == NULL)
		return NULL;
	fields->id = set->id;
	fields->last_group = &fields->groups;
	fields->last_fragment = &fields->fragments;
	gql_table_create(&fields->table, o->c->mem);
	o->c->search++;
	gather(o, fields, set, parent);
	o->sets[set->id] = fields;
	return mem_failed(o->c->mem) ? NULL : fields;
}

static struct fields *
fragment_fields(struct overlaps *o, const struct gql_fragment *fragment)
{
	const struct gql_name *name = &fragment->node->condition->name;

	return fields_of(o, fragment->node->set,
	    gql_schema_type(o->c->schema, name->s, name->len));
}

/* Values ------------------------------------------------------------------- */

static bool same_value(
    struct gql_check *c, const struct gql_value *a, const struct gql_value *b);

/* The nth field of a name goes with the nth (doubled ones another rule
 * refuses). */
static bool
same_fields(
    struct gql_check *c, const struct gql_value *a, const struct gql_value *b)
{
	for (const struct gql_object_field *f = a->fields; f != NULL;
	     f = f->next) {
		const struct gql_object_field *g = b->fields, *x;
		uint32_t skip = 0;

		if (!gql_check_spend(c, (uint64_t)a->len + b->len))
			return false;
		for (x = a->fields; x != f; x = x->next)
			skip += gql_name_equal(&f->name, &x->name);
		for (; g != NULL; g = g->next) {
			if (gql_name_equal(&f->name, &g->name) && skip-- == 0)
				break;
		}
		if (g == NULL || !same_value(c, f->value, g->value))
			return false;
	}
	return true;
}

static bool
same_value(
    struct gql_check *c, const struct gql_value *a, const struct gql_value *b)
{
	const struct gql_value *x, *y;

	if (a->kind != b->kind || !gql_check_spend(c, 1))
		return false;
	switch (a->kind) {
	case GQL_VALUE_NULL:
		return true;
	case GQL_VALUE_BOOLEAN:
		return a->boolean == b->boolean;
	case GQL_VALUE_LIST:
		if (a->len != b->len)
			return false;
		for (x = a->items, y = b->items; x != NULL;
		     x = x->next, y = y->next) {
			if (!same_value(c, x, y))
				return false;
		}
		return true;
	case GQL_VALUE_OBJECT:
		return a->len == b->len && same_fields(c, a, b);
	case GQL_VALUE_VARIABLE:
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
	case GQL_VALUE_ENUM:
	default:
		return a->len == b->len &&
		       (a->len == 0 || memcmp(a->text, b->text, a->len) == 0);
	}
}

static bool
same_arguments(struct gql_check *c, const struct gql_argument *a,
    const struct gql_argument *b)
{
	uint32_t n = 0;

	for (const struct gql_argument *x = b; x != NULL; x = x->next)
		n++;
	for (; a != NULL; a = a->next) {
		const struct gql_argument *x = b;

		while (x != NULL && !gql_name_equal(&x->name, &a->name))
			x = x->next;
		if (x == NULL || n == 0 || !gql_check_spend(c, 1) ||
		    !same_value(c, a->value, x->value))
			return false;
		n--;
	}
	return n == 0;
}

/* Types -------------------------------------------------------------------- */

static bool
types_conflict(const struct gql_type *a, const struct gql_type *b)
{
	while (a != b) {
		if (a->of == NULL || b->of == NULL)
			return a->of != b->of || gql_type_is_leaf(a) ||
			       gql_type_is_leaf(b);
		if (a->kind != b->kind)
			return true;
		a = a->of;
		b = b->of;
	}
	return false;
}

/* Comparisons -------------------------------------------------------------- */

static void compare_sets(struct overlaps *o, struct conflicts *out,
    bool exclusive, const struct detail *a, const struct detail *b);

static struct conflict *
conflict_new(struct overlaps *o, const char *why, const struct gql_name *name,
    const struct detail *a, const struct detail *b)
{
	struct conflict *x = mem_alloc(o->c->mem, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->name = name;
	x->why = why;
	x->first[x->first_count++] = a->node->at;
	x->second[x->second_count++] = b->node->at;
	return x;
}

static void
take_places(struct gql_place *to, uint32_t *count, const struct gql_place *from,
    uint32_t n)
{
	for (uint32_t i = 0; i < n && *count < CONFLICT_PLACES; i++)
		to[(*count)++] = from[i];
}

/* Conflicts below two fields are one of the fields. */
static struct conflict *
compare_below(struct overlaps *o, bool exclusive, const struct gql_name *name,
    const struct detail *a, const struct detail *b)
{
	struct conflicts below = {NULL, NULL};
	struct conflict *x;

	below.last = &below.first;
	if (o->nesting >= NESTING_MAX) {
		(void)gql_check_spend(o->c, UINT64_MAX);
		return NULL;
	}
	o->nesting++;
	compare_sets(o, &below, exclusive, a, b);
	o->nesting--;
	if (below.first == NULL)
		return NULL;
	x = conflict_new(o, "what is selected of it differs", name, a, b);
	if (x == NULL)
		return NULL;
	for (const struct conflict *y = below.first; y != NULL; y = y->next) {
		take_places(
		    x->first, &x->first_count, y->first, y->first_count);
		take_places(
		    x->second, &x->second_count, y->second, y->second_count);
	}
	return x;
}

static struct conflict *
compare_fields(struct overlaps *o, bool exclusive, const struct gql_name *name,
    const struct detail *a, const struct detail *b)
{
	const struct gql_selection *x = a->node, *y = b->node;
	bool apart = a->parent != b->parent && a->parent != NULL &&
		     b->parent != NULL && a->parent->kind == GQL_OBJECT &&
		     b->parent->kind == GQL_OBJECT;

	exclusive = exclusive || apart;
	if (!gql_check_spend(o->c, 1))
		return NULL;
	if (!exclusive) {
		if (!gql_name_equal(&x->name, &y->name))
			return conflict_new(
			    o, "they are different fields", name, a, b);
		if (!same_arguments(o->c, x->arguments, y->arguments))
			return conflict_new(
			    o, "their arguments differ", name, a, b);
	}
	if (a->def != NULL && b->def != NULL &&
	    types_conflict(a->def->type, b->def->type))
		return conflict_new(o, "their types differ", name, a, b);
	if (x->set == NULL || y->set == NULL)
		return NULL;
	return compare_below(o, exclusive, name, a, b);
}

static void
compare(struct overlaps *o, struct conflicts *out, bool exclusive,
    const struct gql_name *name, const struct detail *a, const struct detail *b)
{
	struct conflict *x = compare_fields(o, exclusive, name, a, b);

	if (x == NULL || o->c->stopped)
		return;
	*out->last = x;
	out->last = &x->next;
}

static void
compare_within(
    struct overlaps *o, struct conflicts *out, const struct fields *fields)
{
	for (const struct group *g = fields->groups; g != NULL; g = g->next) {
		for (const struct detail *a = g->first; a != NULL;
		     a = a->next) {
			for (const struct detail *b = a->next;
			     b != NULL && !o->c->stopped; b = b->next)
				compare(o, out, false, &g->name, a, b);
		}
	}
}

static void
compare_between(struct overlaps *o, struct conflicts *out, bool exclusive,
    const struct fields *one, const struct fields *other)
{
	for (const struct group *g = one->groups; g != NULL; g = g->next) {
		const struct group *h;

		if (!gql_check_spend(o->c, 1))
			return;
		h = gql_table_find(&other->table, g->name.s, g->name.len);
		if (h == NULL)
			continue;
		for (const struct detail *a = g->first; a != NULL;
		     a = a->next) {
			for (const struct detail *b = h->first;
			     b != NULL && !o->c->stopped; b = b->next)
				compare(o, out, exclusive, &g->name, a, b);
		}
	}
}

static void
compare_with_fragment(struct overlaps *o, struct conflicts *out, bool exclusive,
    const struct fields *fields, const struct gql_fragment *fragment)
{
	const struct fields *other;

	if (fields->groups == NULL || !gql_check_spend(o->c, 1) ||
	    !pairs_add(o->c->mem, &o->with_fragment, fields->id,
		fragment->index, exclusive))
		return;
	other = fragment_fields(o, fragment);
	if (other == NULL || other == fields)
		return;
	compare_between(o, out, exclusive, fields, other);
	for (const struct fragment_list *l = other->fragments; l != NULL;
	     l = l->next)
		compare_with_fragment(o, out, exclusive, fields, l->fragment);
}

static void
compare_fragments(struct overlaps *o, struct conflicts *out, bool exclusive,
    const struct gql_fragment *a, const struct gql_fragment *b)
{
	const struct fields *one, *other;

	if (a == b || !gql_check_spend(o->c, 1) ||
	    !pairs_add(o->c->mem, &o->fragments,
		a->index < b->index ? a->index : b->index,
		a->index < b->index ? b->index : a->index, exclusive))
		return;
	one = fragment_fields(o, a);
	other = fragment_fields(o, b);
	if (one == NULL || other == NULL)
		return;
	compare_between(o, out, exclusive, one, other);
	for (const struct fragment_list *l = other->fragments; l != NULL;
	     l = l->next)
		compare_fragments(o, out, exclusive, a, l->fragment);
	for (const struct fragment_list *l = one->fragments; l != NULL;
	     l = l->next)
		compare_fragments(o, out, exclusive, l->fragment, b);
}

static void
compare_sets(struct overlaps *o, struct conflicts *out, bool exclusive,
    const struct detail *a, const struct detail *b)
{
	const struct fields *one = fields_of(o, a->node->set,
	    a->def == NULL ? NULL : gql_type_named(a->def->type));
	const struct fields *other = fields_of(o, b->node->set,
	    b->def == NULL ? NULL : gql_type_named(b->def->type));

	if (one == NULL || other == NULL)
		return;
	compare_between(o, out, exclusive, one, other);
	for (const struct fragment_list *l = other->fragments; l != NULL;
	     l = l->next)
		compare_with_fragment(o, out, exclusive, one, l->fragment);
	for (const struct fragment_list *l = one->fragments; l != NULL;
	     l = l->next)
		compare_with_fragment(o, out, exclusive, other, l->fragment);
	for (const struct fragment_list *l = one->fragments; l != NULL;
	     l = l->next) {
		for (const struct fragment_list *k = other->fragments;
		     k != NULL; k = k->next)
			compare_fragments(
			    o, out, exclusive, l->fragment, k->fragment);
	}
}

/* Reports ------------------------------------------------------------------ */

static void
report(struct overlaps *o, const struct conflicts *found)
{
	struct gql_place nowhere = {0, 0};
	struct gql_faults *faults = o->c->faults;
	struct gql_fault *fault;

	for (const struct conflict *x = found->first;
	     x != NULL && !faults->full; x = x->next) {
		fault = gql_fault_add(faults, GQL_RULE_CODE, nowhere,
		    "Fields \"%.*s\" conflict because %s. Give one of them "
		    "another alias.",
		    (int)(x->name->len < 100 ? x->name->len : 100), x->name->s,
		    x->why);
		for (uint32_t i = 0; i < x->first_count; i++)
			gql_fault_at(faults, fault, x->first[i]);
		for (uint32_t i = 0; i < x->second_count; i++)
			gql_fault_at(faults, fault, x->second[i]);
	}
}

static void
check_set(struct overlaps *o, const struct gql_selection_set *set,
    const struct gql_type *parent)
{
	const struct fields *fields = fields_of(o, set, parent);
	struct conflicts found = {NULL, NULL};

	if (fields == NULL)
		return;
	found.last = &found.first;
	compare_within(o, &found, fields);
	for (const struct fragment_list *l = fields->fragments; l != NULL;
	     l = l->next) {
		compare_with_fragment(o, &found, false, fields, l->fragment);
		for (const struct fragment_list *k = l->next; k != NULL;
		     k = k->next)
			compare_fragments(
			    o, &found, false, l->fragment, k->fragment);
	}
	report(o, &found);
}

static void
walk(struct overlaps *o, const struct gql_selection_set *set,
    const struct gql_type *type)
{
	const struct gql_type *parent =
	    gql_type_is_composite(type) ? type : NULL;

	for (const struct gql_selection *s = set->first;
	     s != NULL && !o->c->stopped && !o->c->faults->full; s = s->next) {
		const struct gql_type *below = type;
		const struct gql_field *field;

		if (s->set == NULL)
			continue;
		if (s->kind == GQL_FIELD) {
			field = parent == NULL
				    ? NULL
				    : gql_schema_field(o->c->schema, parent,
					  s->name.s, s->name.len);
			below =
			    field == NULL ? NULL : gql_type_named(field->type);
			check_set(o, s->set,
			    gql_type_is_composite(below) ? below : NULL);
		} else if (s->condition != NULL) {
			below = gql_schema_type(o->c->schema,
			    s->condition->name.s, s->condition->name.len);
		}
		walk(o, s->set, below);
	}
}

void
gql_check_overlaps(struct gql_check *c)
{
	struct overlaps o = {.c = c};
	const struct gql_type *type;

	o.sets = mem_array(c->mem, (size_t)c->document->selection_sets + 1,
	    sizeof(struct fields *));
	for (const struct gql_definition *d = c->document->definitions;
	     o.sets != NULL && d != NULL && !c->faults->full && !c->stopped &&
	     !mem_failed(c->mem);
	     d = d->next) {
		if (d->kind == GQL_DEF_OPERATION)
			type = c->schema->roots[d->operation];
		else if (d->kind == GQL_DEF_FRAGMENT)
			type = gql_schema_type(c->schema, d->condition->name.s,
			    d->condition->name.len);
		else
			continue;
		check_set(
		    &o, d->set, gql_type_is_composite(type) ? type : NULL);
		walk(&o, d->set, type);
	}
}
