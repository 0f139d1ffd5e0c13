/* validate.c - the rules in their order; those about definitions: names once,
 * executable, fragments used and without circles. */
#include "graphql/validate.h"

#include <string.h>

#include "graphql/check.h"

/* Fragments within fragments, more than anybody writes: recursion anywhere is
 * bounded by this times the parser's depth. */
#define FRAGMENT_DEPTH_MAX 100u
#define WORK_MAX	   UINT64_C(1000000)

bool
gql_check_spend(struct gql_check *c, uint64_t work)
{
	struct gql_place nowhere = {0, 0};

	if (c->stopped)
		return false;
	if (work <= c->work) {
		c->work -= work;
		return true;
	}
	c->stopped = true;
	(void)gql_fault_add(c->faults, GQL_COMPLEX_CODE, nowhere,
	    "The document is too complex to be checked: it repeats too many "
	    "fields, fragments or variables.");
	return false;
}

struct gql_fault *
gql_check_fail(struct gql_check *c, struct gql_place at, const char *what,
    const struct gql_name *name)
{
	if (name == NULL || name->s == NULL)
		return gql_fault_add(c->faults, GQL_RULE_CODE, at, "%s.", what);
	return gql_fault_add(c->faults, GQL_RULE_CODE, at, "%s: \"%.*s\".",
	    what, (int)name->len, name->s);
}

struct gql_fault *
gql_check_fail2(struct gql_check *c, struct gql_place at,
    struct gql_place second, const char *what, const struct gql_name *name)
{
	struct gql_fault *fault = gql_check_fail(c, at, what, name);

	gql_fault_at(c->faults, fault, second);
	return fault;
}

/* Definitions -------------------------------------------------------------- */

static void
check_unique(struct gql_check *c, struct gql_table *table,
    const struct gql_name *name, const char *what)
{
	const struct gql_name *before;
	struct gql_name *copy = mem_alloc(c->mem, sizeof(*copy));

	if (copy == NULL)
		return;
	*copy = *name;
	before = gql_table_add(table, copy);
	if (before != NULL)
		(void)gql_check_fail2(c, before->at, name->at, what, name);
}

static void
check_definitions(struct gql_check *c)
{
	struct gql_table operations, fragments;

	gql_table_create(&operations, c->mem);
	gql_table_create(&fragments, c->mem);
	for (const struct gql_definition *d = c->document->definitions;
	     d != NULL; d = d->next) {
		if (d->kind == GQL_DEF_FRAGMENT) {
			check_unique(c, &fragments, &d->name,
			    "There are several fragments of one name");
		} else if (d->kind != GQL_DEF_OPERATION) {
			(void)gql_check_fail(c, d->at,
			    "The definition can't be executed", &d->name);
		} else if (d->name.s != NULL) {
			check_unique(c, &operations, &d->name,
			    "There are several operations of one name");
		} else if (c->document->operations > 1) {
			(void)gql_check_fail(c, d->at,
			    "An operation without a name must be the only one",
			    NULL);
		}
		if (d->kind == GQL_DEF_OPERATION &&
		    c->schema->roots[d->operation] == NULL)
			(void)gql_check_fail(c, d->at,
			    "The schema has no operations of this kind", NULL);
	}
}

/* Of fragments with the same name the last counts: it is looked at last. */
static void
look_at_definitions(struct gql_check *c)
{
	for (const struct gql_definition *d = c->document->definitions;
	     d != NULL && !c->faults->full && !mem_failed(c->mem);
	     d = d->next) {
		const struct gql_fragment *fragment;
		struct gql_part part = {.node = d};
		struct gql_part *to;

		if (d->kind == GQL_DEF_OPERATION) {
			to = &c->operations[c->operation_count++];
		} else if (d->kind == GQL_DEF_FRAGMENT) {
			fragment = gql_fragments_find(&c->fragments, &d->name);
			if (fragment == NULL)
				return;
			to = &c->parts[fragment->index];
		} else {
			continue;
		}
		*to = part;
		to->last_usage = &to->usages;
		to->last_spread = &to->spreads;
		gql_check_definition(c, d, to);
	}
}

/* Fragments ---------------------------------------------------------------- */

static void
mark_used(struct gql_check *c, const struct gql_part *part)
{
	for (const struct gql_spread *s = part->spreads; s != NULL;
	     s = s->next) {
		if (s->fragment == NULL ||
		    c->mark[s->fragment->index] == c->search)
			continue;
		c->mark[s->fragment->index] = c->search;
		mark_used(c, &c->parts[s->fragment->index]);
	}
}

static void
check_unused(struct gql_check *c)
{
	c->search++;
	for (uint32_t i = 0; i < c->operation_count; i++)
		mark_used(c, &c->operations[i]);
	for (const struct gql_definition *d = c->document->definitions;
	     d != NULL; d = d->next) {
		const struct gql_fragment *fragment;

		if (d->kind != GQL_DEF_FRAGMENT)
			continue;
		fragment = gql_fragments_find(&c->fragments, &d->name);
		if (fragment != NULL && c->mark[fragment->index] != c->search)
			(void)gql_check_fail(
			    c, d->at, "The fragment is never used", &d->name);
	}
}

struct circles {
	struct gql_check *c;
	bool *visited;	      /* by fragment */
	uint32_t *height;     /* by fragment: fragments below it */
	uint32_t *path_index; /* by fragment: 1 + where on the path it is */
	const struct gql_selection *path[FRAGMENT_DEPTH_MAX + 1];
	uint32_t depth;
	bool too_deep;
};

static void
report_circle(struct circles *k, const struct gql_spread *spread, uint32_t from)
{
	struct gql_place nowhere = {0, 0};
	struct gql_fault *fault = gql_check_fail(k->c, nowhere,
	    "The fragment is spread within itself", &spread->node->name);

	for (uint32_t i = from; i < k->depth; i++)
		gql_fault_at(k->c->faults, fault, k->path[i]->at);
}

static void
follow(struct circles *k, uint32_t index)
{
	uint32_t below;

	if (k->visited[index])
		return;
	k->visited[index] = true;
	k->path_index[index] = k->depth + 1;
	for (const struct gql_spread *s = k->c->parts[index].spreads;
	     s != NULL && !k->too_deep; s = s->next) {
		if (s->fragment == NULL)
			continue;
		below = s->fragment->index;
		if (k->depth >= FRAGMENT_DEPTH_MAX ||
		    k->depth + k->height[below] >= FRAGMENT_DEPTH_MAX) {
			k->too_deep = true;
			return;
		}
		k->path[k->depth++] = s->node;
		if (k->path_index[below] != 0)
			report_circle(k, s, k->path_index[below] - 1);
		else
			follow(k, below);
		k->depth--;
		if (k->height[index] < k->height[below] + 1)
			k->height[index] = k->height[below] + 1;
	}
	k->path_index[index] = 0;
}

/* False: there are too many within each other to go on. */
static bool
check_circles(struct gql_check *c)
{
	uint32_t n = c->fragments.count;
	struct circles k = {.c = c};
	struct gql_place nowhere = {0, 0};

	k.visited = mem_array(c->mem, (size_t)n + 1, sizeof(*k.visited));
	k.height = mem_array(c->mem, (size_t)n + 1, sizeof(*k.height));
	k.path_index = mem_array(c->mem, (size_t)n + 1, sizeof(*k.path_index));
	for (uint32_t i = 0; i < n && !mem_failed(c->mem) && !k.too_deep; i++)
		follow(&k, i);
	if (k.too_deep)
		(void)gql_fault_add(c->faults, GQL_COMPLEX_CODE, nowhere,
		    "Fragments are spread more than %u deep within each other.",
		    FRAGMENT_DEPTH_MAX);
	return !k.too_deep && !mem_failed(c->mem);
}

int
gql_validate(const struct gql_schema *schema,
    const struct gql_document *document, struct gql_faults *faults)
{
	struct gql_check c = {.mem = faults->mem,
	    .schema = schema,
	    .document = document,
	    .faults = faults,
	    .work = WORK_MAX};

	if (gql_fragments_create(&c.fragments, c.mem, document) != 0)
		return -1;
	c.parts =
	    mem_array(c.mem, (size_t)c.fragments.count + 1, sizeof(*c.parts));
	c.mark =
	    mem_array(c.mem, (size_t)c.fragments.count + 1, sizeof(*c.mark));
	c.operations = mem_array(
	    c.mem, (size_t)document->operations + 1, sizeof(*c.operations));
	if (mem_failed(c.mem))
		return -1;
	check_definitions(&c);
	look_at_definitions(&c);
	if (!mem_failed(c.mem) && check_circles(&c)) {
		check_unused(&c);
		gql_check_variables(&c);
		gql_check_subscriptions(&c);
		gql_check_introspection(&c);
		gql_check_overlaps(&c);
	}
	return faults->count > 0 || mem_failed(c.mem) ? -1 : 0;
}
