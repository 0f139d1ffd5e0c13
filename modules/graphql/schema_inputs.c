/* schema_inputs.c - rules about input objects: defaults are of their type, no
 * default refers to itself, and each object can be written down in finitely
 * many characters (3.10). */
#include "graphql/sdl.h"

#include "graphql/literal.h"

void
gql_schema_check_default(struct gql_builder *b, const struct gql_input *input)
{
	if (input->default_value != NULL && gql_type_is_input(input->type))
		gql_literal_check(b->faults, GQL_SCHEMA_CODE,
		    input->default_value, input->type);
}

/* Objects without a finite value ------------------------------------------- */

struct finite {
	struct gql_builder *b;
	bool *has;	      /* by type: it has a finite value */
	bool *visited;	      /* by type */
	uint32_t *path_index; /* by type: 1 + where on the path it is */
	const struct gql_input **path;
	uint32_t depth;
};

/* The input object that any value of the field needs; NULL: none. */
static const struct gql_type *
needed(const struct gql_type *object, const struct gql_input *field)
{
	const struct gql_type *type = field->type;

	if (!object->one_of) {
		if (type->kind != GQL_NON_NULL)
			return NULL;
		type = type->of;
	}
	return type->kind == GQL_INPUT_OBJECT ? type : NULL;
}

static bool
is_finite(const struct finite *f, const struct gql_type *object)
{
	bool one = false, all = true;

	for (uint32_t i = 0; i < object->input_count; i++) {
		const struct gql_type *next =
		    needed(object, &object->inputs[i]);

		if (next == NULL || f->has[next->id])
			one = true;
		else
			all = false;
	}
	return object->one_of ? one || object->input_count == 0 : all;
}

static void
settle(struct finite *f)
{
	const struct gql_schema *schema = f->b->schema;
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < schema->type_count; i++) {
			if (schema->types[i]->kind != GQL_INPUT_OBJECT ||
			    f->has[i] || !is_finite(f, schema->types[i]))
				continue;
			f->has[i] = true;
			changed = true;
		}
	}
}

static void
report_circle(struct finite *f, const struct gql_type *object, uint32_t from)
{
	struct gql_fault *fault;
	struct gql_place nowhere = {0, 0};

	fault = gql_fault_add(f->b->faults, GQL_SCHEMA_CODE, nowhere,
	    "No finite value can be given for \"%.*s\": it needs itself.",
	    (int)object->name.len, object->name.s);
	for (uint32_t i = from; i < f->depth; i++)
		gql_fault_at(f->b->faults, fault, f->path[i]->node->at);
}

static void
follow(struct finite *f, const struct gql_type *object)
{
	if (f->visited[object->id])
		return;
	f->visited[object->id] = true;
	f->path_index[object->id] = f->depth + 1;
	for (uint32_t i = 0; i < object->input_count; i++) {
		const struct gql_type *next =
		    needed(object, &object->inputs[i]);

		if (next == NULL || f->has[next->id])
			continue;
		f->path[f->depth++] = &object->inputs[i];
		if (f->path_index[next->id] == 0)
			follow(f, next);
		else
			report_circle(f, next, f->path_index[next->id] - 1);
		f->depth--;
	}
	f->path_index[object->id] = 0;
}

static void
check_finite(struct gql_builder *b)
{
	uint32_t n = b->schema->type_count;
	struct finite f = {.b = b};

	f.has = mem_array(b->mem, n, sizeof(*f.has));
	f.visited = mem_array(b->mem, n, sizeof(*f.visited));
	f.path_index = mem_array(b->mem, n, sizeof(*f.path_index));
	f.path =
	    mem_array(b->mem, (size_t)n + 1, sizeof(const struct gql_input *));
	if (mem_failed(b->mem))
		return;
	settle(&f);
	for (uint32_t i = 0; i < n; i++) {
		if (b->schema->types[i]->kind == GQL_INPUT_OBJECT && !f.has[i])
			follow(&f, b->schema->types[i]);
	}
}

/* Defaults that refer to themselves ---------------------------------------- */

struct circles {
	struct gql_builder *b;
	bool **visited;	       /* by type and field */
	uint32_t **path_index; /* by type and field: 1 + where on the path */
	const struct gql_input **path;
	uint32_t depth;
};

static void follow_value(struct circles *c, const struct gql_type *object,
    const struct gql_value *value);

static void
report_default(struct circles *c, const struct gql_input *field, uint32_t from)
{
	struct gql_fault *fault;
	struct gql_place nowhere = {0, 0};

	fault = gql_fault_add(c->b->faults, GQL_SCHEMA_CODE, nowhere,
	    "The default of \"%.*s\" refers to itself.", (int)field->name.len,
	    field->name.s);
	for (uint32_t i = from; i < c->depth; i++)
		gql_fault_at(
		    c->b->faults, fault, c->path[i]->default_value->at);
}

static void
follow_default(struct circles *c, const struct gql_type *object,
    const struct gql_input *field)
{
	uint32_t *at = &c->path_index[object->id][field->index];

	if (field->default_value == NULL)
		return;
	if (*at != 0) {
		report_default(c, field, *at - 1);
		return;
	}
	if (c->visited[object->id][field->index])
		return;
	c->visited[object->id][field->index] = true;
	c->path[c->depth++] = field;
	*at = c->depth;
	follow_value(c, gql_type_named(field->type), field->default_value);
	c->depth--;
	*at = 0;
}

static const struct gql_object_field *
given(const struct gql_value *value, const struct gql_name *name)
{
	const struct gql_object_field *found = NULL;

	for (const struct gql_object_field *f = value->fields; f != NULL;
	     f = f->next) {
		if (gql_name_equal(&f->name, name))
			found = f;
	}
	return found;
}

static void
follow_value(struct circles *c, const struct gql_type *object,
    const struct gql_value *value)
{
	if (value->kind == GQL_VALUE_LIST) {
		for (const struct gql_value *v = value->items; v != NULL;
		     v = v->next)
			follow_value(c, object, v);
		return;
	}
	if (value->kind != GQL_VALUE_OBJECT)
		return;
	for (uint32_t i = 0; i < object->input_count; i++) {
		const struct gql_input *field = &object->inputs[i];
		const struct gql_type *named = gql_type_named(field->type);
		const struct gql_object_field *own;

		if (named->kind != GQL_INPUT_OBJECT)
			continue;
		own = given(value, &field->name);
		if (own != NULL)
			follow_value(c, named, own->value);
		else
			follow_default(c, object, field);
	}
}

/* As if every object were given without any field. */
static void
check_circles(struct gql_builder *b)
{
	static const struct gql_value empty = {.kind = GQL_VALUE_OBJECT};
	const struct gql_schema *schema = b->schema;
	struct circles c = {.b = b};
	size_t fields = 1;

	c.visited = mem_array(b->mem, schema->type_count, sizeof(bool *));
	c.path_index =
	    mem_array(b->mem, schema->type_count, sizeof(uint32_t *));
	for (uint32_t i = 0; i < schema->type_count && !mem_failed(b->mem);
	     i++) {
		uint32_t n = schema->types[i]->input_count;

		c.visited[i] = mem_array(b->mem, (size_t)n + 1, sizeof(bool));
		c.path_index[i] =
		    mem_array(b->mem, (size_t)n + 1, sizeof(uint32_t));
		fields += n;
	}
	c.path = mem_array(b->mem, fields, sizeof(const struct gql_input *));
	for (uint32_t i = 0; i < schema->type_count && !mem_failed(b->mem);
	     i++) {
		if (schema->types[i]->kind == GQL_INPUT_OBJECT)
			follow_value(&c, schema->types[i], &empty);
	}
}

void
gql_schema_check_inputs(struct gql_builder *b)
{
	if (mem_failed(b->mem))
		return;
	check_finite(b);
	check_circles(b);
}
