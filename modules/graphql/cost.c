/* cost.c - what a valid operation asks, before it is run: its depth, its root
 * fields, the objects it may touch. Each fragment is reckoned once. */
#include "graphql/validate.h"

#include <string.h>

#include "graphql/fragments.h"

#define DEPTH	    20u
#define ROOT_FIELDS 20u
#define COST	    UINT64_C(1000000)
#define LIST_SIZE   50u

/* Of a selection set: its cost is fixed + sized times the size an argument of
 * the field around it gives (schema.h, sized_by_parent). */
struct sum {
	uint64_t fixed, sized;
	uint32_t depth, fields;
};

struct reckoning {
	struct mem *mem;
	const struct gql_schema *schema;
	struct gql_fragments fragments;
	const struct gql_definition *operation;
	struct sum **known; /* by fragment */
	gql_int_variable variable;
	void *arg;
	uint32_t list_size;
};

static uint64_t
add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t
times(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_mul_overflow(a, b, &n) ? UINT64_MAX : n;
}

static uint32_t
add32(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* Arguments ---------------------------------------------------------------- */

/* -1: no number. */
static int64_t
literal_int(const struct gql_value *value)
{
	int64_t n = 0;

	if (value == NULL || value->kind != GQL_VALUE_INT || value->len == 0 ||
	    value->text[0] == '-')
		return -1;
	for (uint32_t i = 0; i < value->len && n <= INT32_MAX; i++)
		n = 10 * n + (value->text[i] - '0');
	return n;
}

static const struct gql_value *
variable_default(const struct reckoning *r, const struct gql_name *name)
{
	const struct gql_variable_definition *v = r->operation->variables;

	while (v != NULL && !gql_name_equal(&v->name, name))
		v = v->next;
	return v == NULL ? NULL : v->default_value;
}

static int64_t
value_int(const struct reckoning *r, const struct gql_value *value)
{
	struct gql_name name;
	int64_t n = -1;

	if (value->kind != GQL_VALUE_VARIABLE)
		return literal_int(value);
	name.s = value->text;
	name.len = value->len;
	name.at = value->at;
	if (r->variable != NULL)
		n = r->variable(r->arg, &name);
	return n >= 0 ? n : literal_int(variable_default(r, &name));
}

/* What the arguments say of the size, the most of them; -1: nothing. */
static int64_t
argument_size(const struct reckoning *r, const struct gql_selection *node,
    const struct gql_field *field)
{
	int64_t most = -1, n;

	for (size_t i = 0; i < 3 && field->size_args[i] != NULL; i++) {
		const struct gql_input *input = field->size_args[i];
		const struct gql_argument *a = node->arguments;

		while (a != NULL && !gql_name_equal(&a->name, &input->name))
			a = a->next;
		n = a != NULL ? value_int(r, a->value)
			      : literal_int(input->default_value);
		if (most < n)
			most = n;
	}
	return most;
}

/* Selections --------------------------------------------------------------- */

static struct sum reckon(struct reckoning *r,
    const struct gql_selection_set *set, const struct gql_type *type);

static struct sum
reckon_field(struct reckoning *r, const struct gql_selection *node,
    const struct gql_type *parent)
{
	const struct gql_field *field =
	    parent == NULL ? NULL
			   : gql_schema_field(r->schema, parent, node->name.s,
				 node->name.len);
	struct sum sum = {0, 0, 1, 1}, below;
	const struct gql_type *type;
	uint64_t size, total;
	int64_t said;

	if (field == NULL || field == &r->schema->meta_schema ||
	    field == &r->schema->meta_type)
		return sum;
	sum.fixed = field->cost;
	if (node->set == NULL)
		return sum;
	below = reckon(r, node->set, gql_type_named(field->type));
	sum.depth = add32(1, below.depth);
	size = field->list_size != 0 ? field->list_size : r->list_size;
	said = argument_size(r, node, field);
	if (said >= 0)
		size = (uint64_t)said;
	total = add(below.fixed, times(below.sized, size));
	type = gql_type_nullable(field->type);
	if (type->kind != GQL_LIST) {
		sum.fixed = add(sum.fixed, total);
		return sum;
	}
	total = add(below.fixed, times(below.sized, (uint64_t)r->list_size));
	if (field->sized_by_parent && said < 0)
		sum.sized = total;
	else
		sum.fixed = add(sum.fixed, times(total, size));
	return sum;
}

static struct sum
reckon_spread(struct reckoning *r, const struct gql_selection *node)
{
	static const struct sum none;
	const struct gql_fragment *fragment =
	    gql_fragments_find(&r->fragments, &node->name);
	const struct gql_name *name;
	struct sum *known;

	if (fragment == NULL)
		return none;
	if (r->known[fragment->index] != NULL)
		return *r->known[fragment->index];
	known = mem_alloc(r->mem, sizeof(*known));
	if (known == NULL)
		return none;
	r->known[fragment->index] = known;
	name = &fragment->node->condition->name;
	*known = reckon(r, fragment->node->set,
	    gql_schema_type(r->schema, name->s, name->len));
	return *known;
}

static struct sum
reckon(struct reckoning *r, const struct gql_selection_set *set,
    const struct gql_type *type)
{
	struct sum sum = {0, 0, 0, 0}, one;
	const struct gql_type *inner;

	if (!gql_type_is_composite(type))
		type = NULL;
	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		inner = type;
		if (s->kind == GQL_FIELD) {
			one = reckon_field(r, s, type);
		} else if (s->kind == GQL_FRAGMENT_SPREAD) {
			one = reckon_spread(r, s);
		} else {
			if (s->condition != NULL)
				inner = gql_schema_type(r->schema,
				    s->condition->name.s,
				    s->condition->name.len);
			one = reckon(r, s->set, inner);
		}
		sum.fixed = add(sum.fixed, one.fixed);
		sum.sized = add(sum.sized, one.sized);
		sum.fields = add32(sum.fields, one.fields);
		if (sum.depth < one.depth)
			sum.depth = one.depth;
	}
	return sum;
}

/* Limits ------------------------------------------------------------------- */

static int
judge(const struct gql_cost *cost, const struct gql_cost_limits *limits,
    struct gql_place at, struct gql_error *e)
{
	uint32_t depth = limits->depth != 0 ? limits->depth : DEPTH;
	uint32_t roots =
	    limits->root_fields != 0 ? limits->root_fields : ROOT_FIELDS;
	uint64_t most = limits->cost != 0 ? limits->cost : COST;

	if (cost->depth > depth)
		return gql_fail(e, "query_too_deep", at,
		    "Fields are nested %u deep; %u are allowed.", cost->depth,
		    depth);
	if (cost->root_fields > roots)
		return gql_fail(e, "too_many_root_fields", at,
		    "The operation has %u root fields; %u are allowed.",
		    cost->root_fields, roots);
	if (cost->cost > most)
		return gql_fail(e, "query_too_costly", at,
		    "The operation may touch %llu objects; %llu are allowed. "
		    "Ask for shorter lists (first, limit) or fewer of them "
		    "within each other.",
		    (unsigned long long)cost->cost, (unsigned long long)most);
	return 0;
}

int
gql_cost_check(struct mem *m, const struct gql_schema *schema,
    const struct gql_document *document, const struct gql_definition *operation,
    const struct gql_cost_limits *limits, gql_int_variable variable, void *arg,
    struct gql_cost *cost, struct gql_error *e)
{
	static const struct gql_cost_limits defaults;
	struct reckoning r = {.mem = m,
	    .schema = schema,
	    .operation = operation,
	    .variable = variable,
	    .arg = arg};
	struct sum sum = {.depth = 0};

	if (limits == NULL)
		limits = &defaults;
	r.list_size = limits->list_size != 0 ? limits->list_size : LIST_SIZE;
	if (gql_fragments_create(&r.fragments, m, document) == 0)
		r.known = mem_array(
		    m, (size_t)r.fragments.count + 1, sizeof(struct sum *));
	if (r.known != NULL)
		sum = reckon(
		    &r, operation->set, schema->roots[operation->operation]);
	if (mem_failed(m))
		return gql_fail(e, "out_of_memory", operation->at,
		    "There is not enough memory for the request.");
	cost->depth = sum.depth;
	cost->root_fields = sum.fields;
	cost->cost = add(sum.fixed, times(sum.sized, r.list_size));
	return judge(cost, limits, operation->at, e);
}
