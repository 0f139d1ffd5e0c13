/* schema_build.c - a schema from its document: types first, then what they
 * consist of, for any may name any other.
 * long: one pass over one document, in the order of what needs what. */
#include "graphql/sdl.h"

#include <string.h>

#include "graphql/builtin.h"

static struct gql_text
text_of(const struct gql_value *value)
{
	struct gql_text text = {NULL, 0};

	if (value != NULL && (value->kind == GQL_VALUE_STRING ||
				 value->kind == GQL_VALUE_BLOCK_STRING)) {
		text.s = value->text;
		text.len = value->len;
	}
	return text;
}

static const struct gql_directive *
find_directive(const struct gql_directive *d, const char *name)
{
	while (d != NULL && !gql_name_is(&d->name, name, strlen(name)))
		d = d->next;
	return d;
}

/* The string given as an argument; fallback if it isn't. */
static struct gql_text
string_argument(
    const struct gql_directive *d, const char *name, const char *fallback)
{
	struct gql_text text = {
	    fallback, fallback == NULL ? 0 : (uint32_t)strlen(fallback)};

	for (const struct gql_argument *a = d->arguments; a != NULL;
	     a = a->next) {
		if (gql_name_is(&a->name, name, strlen(name)) &&
		    text_of(a->value).s != NULL)
			text = text_of(a->value);
	}
	return text;
}

static struct gql_text
deprecation(const struct gql_directive *directives)
{
	const struct gql_directive *d =
	    find_directive(directives, "deprecated");
	struct gql_text none = {NULL, 0};

	return d == NULL ? none
			 : string_argument(d, "reason", "No longer supported");
}

/* Wrapped types ------------------------------------------------------------ */

static struct gql_type *
wrap(struct gql_builder *b, struct gql_type *of, enum gql_kind kind)
{
	struct gql_type **place;

	if (of == NULL)
		return NULL;
	place = kind == GQL_LIST ? &of->list : &of->non_null;
	if (*place == NULL) {
		*place = mem_alloc(b->mem, sizeof(**place));
		if (*place == NULL)
			return NULL;
		(*place)->kind = kind;
		(*place)->of = of;
	}
	return *place;
}

static struct gql_type *
resolve(struct gql_builder *b, const struct gql_type_ref *ref)
{
	switch (ref->kind) {
	case GQL_REF_LIST:
		return wrap(b, resolve(b, ref->of), GQL_LIST);
	case GQL_REF_NON_NULL:
		return wrap(b, resolve(b, ref->of), GQL_NON_NULL);
	case GQL_REF_NAMED:
	default:
		return gql_schema_type(b->schema, ref->name.s, ref->name.len);
	}
}

/* Arguments and input fields ----------------------------------------------- */

static uint32_t
count_inputs(const struct gql_input_definition *i)
{
	uint32_t n = 0;

	for (; i != NULL; i = i->next)
		n++;
	return n;
}

static void
build_input(struct gql_builder *b, struct gql_input *input,
    const struct gql_input_definition *node, uint32_t index,
    struct gql_table *table)
{
	input->name = node->name;
	input->description = text_of(node->description);
	input->type = resolve(b, node->type);
	input->default_value = node->default_value;
	input->deprecation = deprecation(node->directives);
	input->node = node;
	input->index = index;
	(void)gql_table_add(table, input);
}

static struct gql_input *
build_args(struct gql_builder *b, const struct gql_input_definition *nodes,
    struct gql_table *table, uint32_t *count)
{
	uint32_t n = count_inputs(nodes);
	struct gql_input *inputs = mem_array(b->mem, n + 1, sizeof(*inputs));

	gql_table_create(table, b->mem);
	*count = 0;
	if (inputs == NULL)
		return NULL;
	for (; nodes != NULL; nodes = nodes->next) {
		build_input(b, &inputs[*count], nodes, *count, table);
		(*count)++;
	}
	return inputs;
}

/* Fields ------------------------------------------------------------------- */

static bool
ends_with(const struct gql_name *name, const char *end)
{
	size_t n = strlen(end);

	return name->len >= n && memcmp(name->s + name->len - n, end, n) == 0;
}

/* What validate.h reckons with, see schema.h. */
static void
build_cost(struct gql_field *field, const struct gql_type *parent)
{
	static const char *const names[] = {"first", "last", "limit"};
	const struct gql_type *nullable = gql_type_nullable(field->type);
	uint32_t n = 0;

	field->cost = gql_type_is_composite(gql_type_named(field->type));
	field->sized_by_parent = nullable != NULL &&
				 nullable->kind == GQL_LIST &&
				 ends_with(&parent->name, "Connection");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct gql_input *arg =
		    gql_field_arg(field, names[i], strlen(names[i]));
		const struct gql_type *type =
		    arg == NULL ? NULL : gql_type_nullable(arg->type);

		if (type != NULL && type->scalar == GQL_SCALAR_INT && n < 2)
			field->size_args[n++] = arg;
	}
}

static void
build_field(struct gql_builder *b, struct gql_type *type,
    const struct gql_field_definition *node)
{
	struct gql_field *field = &type->fields[type->field_count];

	field->name = node->name;
	field->description = text_of(node->description);
	field->type = resolve(b, node->type);
	field->deprecation = deprecation(node->directives);
	field->node = node;
	field->index = type->field_count++;
	field->args = build_args(
	    b, node->arguments, &field->arg_table, &field->arg_count);
	build_cost(field, type);
	(void)gql_table_add(&type->members, field);
}

/* Types -------------------------------------------------------------------- */

struct sizes {
	uint32_t fields, inputs, values, types;
};

static struct sizes
measure(const struct gql_type *type)
{
	struct sizes n = {0, 0, 0, 0};

	for (uint32_t i = 0; i < type->node_count; i++) {
		const struct gql_definition *d = type->nodes[i];

		for (const struct gql_field_definition *f = d->fields;
		     f != NULL; f = f->next)
			n.fields++;
		n.inputs += count_inputs(d->inputs);
		for (const struct gql_enum_value_definition *v = d->values;
		     v != NULL; v = v->next)
			n.values++;
		for (const struct gql_type_ref *t = d->types; t != NULL;
		     t = t->next)
			n.types++;
	}
	return n;
}

static void
build_value(struct gql_type *type, const struct gql_enum_value_definition *node)
{
	struct gql_enum_value *value = &type->values[type->value_count];

	value->name = node->name;
	value->description = text_of(node->description);
	value->deprecation = deprecation(node->directives);
	value->node = node;
	value->index = type->value_count++;
	(void)gql_table_add(&type->members, value);
}

static void
build_part(struct gql_builder *b, struct gql_type *type,
    const struct gql_definition *d)
{
	const struct gql_directive *by =
	    find_directive(d->directives, "specifiedBy");

	for (const struct gql_field_definition *f = d->fields; f != NULL;
	     f = f->next)
		build_field(b, type, f);
	for (const struct gql_input_definition *i = d->inputs; i != NULL;
	     i = i->next) {
		build_input(b, &type->inputs[type->input_count], i,
		    type->input_count, &type->members);
		type->input_count++;
	}
	for (const struct gql_enum_value_definition *v = d->values; v != NULL;
	     v = v->next)
		build_value(type, v);
	for (const struct gql_type_ref *t = d->types; t != NULL; t = t->next) {
		const struct gql_type *named = resolve(b, t);

		if (type->kind == GQL_UNION)
			type->possible[type->possible_count++] = named;
		else
			type->interfaces[type->interface_count++] = named;
	}
	if (by != NULL && type->kind == GQL_SCALAR)
		type->specified_by = string_argument(by, "url", NULL);
	if (!d->extension)
		type->one_of = type->kind == GQL_INPUT_OBJECT &&
			       find_directive(d->directives, "oneOf") != NULL;
}

static bool
build_members(struct gql_builder *b, struct gql_type *type)
{
	struct sizes n = measure(type);

	type->fields = mem_array(b->mem, n.fields + 1, sizeof(*type->fields));
	type->inputs = mem_array(b->mem, n.inputs + 1, sizeof(*type->inputs));
	type->values = mem_array(b->mem, n.values + 1, sizeof(*type->values));
	type->interfaces =
	    mem_array(b->mem, n.types + 1, sizeof(const struct gql_type *));
	type->possible =
	    mem_array(b->mem, n.types + 1, sizeof(const struct gql_type *));
	if (mem_failed(b->mem))
		return false;
	for (uint32_t i = 0; i < type->node_count && !mem_failed(b->mem); i++)
		build_part(b, type, type->nodes[i]);
	return !mem_failed(b->mem);
}

static enum gql_scalar
scalar_of(const struct gql_name *name, bool builtin)
{
	static const char *const names[] = {
	    [GQL_SCALAR_INT] = "Int",
	    [GQL_SCALAR_FLOAT] = "Float",
	    [GQL_SCALAR_STRING] = "String",
	    [GQL_SCALAR_BOOLEAN] = "Boolean",
	    [GQL_SCALAR_ID] = "ID",
	};

	for (unsigned i = GQL_SCALAR_INT; builtin && i <= GQL_SCALAR_ID; i++) {
		if (gql_name_is(name, names[i], strlen(names[i])))
			return (enum gql_scalar)i;
	}
	return GQL_SCALAR_CUSTOM;
}

static void
declare_type(
    struct gql_builder *b, const struct gql_definition *d, bool builtin)
{
	static const enum gql_kind kinds[] = {
	    [GQL_DEF_SCALAR] = GQL_SCALAR,
	    [GQL_DEF_OBJECT] = GQL_OBJECT,
	    [GQL_DEF_INTERFACE] = GQL_INTERFACE,
	    [GQL_DEF_UNION] = GQL_UNION,
	    [GQL_DEF_ENUM] = GQL_ENUM,
	    [GQL_DEF_INPUT] = GQL_INPUT_OBJECT,
	};
	struct gql_type *type = mem_alloc(b->mem, sizeof(*type));

	if (type == NULL)
		return;
	type->name = d->name;
	type->kind = kinds[d->kind];
	type->builtin = builtin;
	type->scalar = type->kind == GQL_SCALAR ? scalar_of(&d->name, builtin)
						: GQL_SCALAR_CUSTOM;
	type->description = text_of(d->description);
	gql_table_create(&type->members, b->mem);
	type->id = b->schema->type_count;
	b->schema->types[b->schema->type_count++] = type;
	(void)gql_table_add(&b->schema->type_table, type);
}

static bool
is_type(const struct gql_definition *d)
{
	return d->kind >= GQL_DEF_SCALAR && d->kind <= GQL_DEF_INPUT;
}

static void
declare_types(
    struct gql_builder *b, const struct gql_document *document, bool builtin)
{
	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		if (is_type(d) && !d->extension &&
		    (builtin || !gql_builtin_type(b, &d->name)))
			declare_type(b, d, builtin);
	}
}

/* Room doubles: a type has few extensions, a hostile one many. */
static void
add_node(struct gql_builder *b, struct gql_type *type,
    const struct gql_definition *d)
{
	const struct gql_definition **grown;
	uint32_t n = type->node_count;

	if ((n & (n - 1)) == 0) {
		grown = mem_array(b->mem, n == 0 ? 1 : 2 * (size_t)n,
		    sizeof(const struct gql_definition *));
		if (grown == NULL)
			return;
		for (uint32_t i = 0; i < n; i++)
			grown[i] = type->nodes[i];
		type->nodes = grown;
	}
	type->nodes[type->node_count++] = d;
}

/* Definitions and extensions, each to its type. */
static void
collect_nodes(struct gql_builder *b, const struct gql_document *document,
    bool builtin, bool extensions)
{
	struct gql_type *type;

	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		if (!is_type(d) || d->extension != extensions)
			continue;
		type = gql_schema_type(b->schema, d->name.s, d->name.len);
		if (type != NULL && type->builtin == builtin)
			add_node(b, type, d);
	}
}

static bool
build_possible(struct gql_builder *b, struct gql_type *type)
{
	type->possible_bits =
	    mem_array(b->mem, b->schema->bit_words, sizeof(uint64_t));
	if (type->possible_bits == NULL)
		return false;
	if (type->kind == GQL_OBJECT) {
		type->possible[0] = type;
		type->possible_count = 1;
	}
	for (uint32_t i = 0; i < type->possible_count; i++) {
		uint32_t id = type->possible[i]->id;

		type->possible_bits[id / 64] |= UINT64_C(1) << (id % 64);
	}
	return true;
}

/* Objects of an interface, which only they name. */
static bool
build_implementors(struct gql_builder *b, struct gql_type *interface)
{
	struct gql_schema *schema = b->schema;
	uint32_t n = 0;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < schema->type_count; i++) {
			const struct gql_type *type = schema->types[i];
			uint32_t k = 0;

			if (type->kind != GQL_OBJECT)
				continue;
			while (k < type->interface_count &&
			       type->interfaces[k] != interface)
				k++;
			if (k == type->interface_count)
				continue;
			if (pass == 0)
				n++;
			else
				interface->possible
				    [interface->possible_count++] = type;
		}
		if (pass == 0)
			interface->possible = mem_array(
			    b->mem, n + 1, sizeof(const struct gql_type *));
		if (interface->possible == NULL)
			return false;
	}
	return true;
}

/* An object stands for itself even in the array sized for interfaces. */
static bool
build_all_possible(struct gql_builder *b)
{
	struct gql_schema *schema = b->schema;

	schema->bit_words = (schema->type_count + 63) / 64;
	for (uint32_t i = 0; i < schema->type_count; i++) {
		struct gql_type *type = schema->types[i];

		if (type->kind == GQL_INTERFACE && !build_implementors(b, type))
			return false;
		if (gql_type_is_composite(type) && !build_possible(b, type))
			return false;
	}
	return true;
}

/* Directives --------------------------------------------------------------- */

static void
build_directive(
    struct gql_builder *b, const struct gql_definition *d, bool builtin)
{
	struct gql_schema *schema = b->schema;
	struct gql_directive_type *t =
	    gql_table_find(&schema->directive_table, d->name.s, d->name.len);

	if (t != NULL && builtin)
		return; /* the document has its own */
	if (t == NULL) {
		t = &schema->directives[schema->directive_count++];
		t->name = d->name;
		(void)gql_table_add(&schema->directive_table, t);
	}
	t->description = text_of(d->description);
	t->locations = d->locations;
	t->repeatable = d->repeatable;
	t->builtin = builtin;
	t->deprecation = deprecation(d->directives);
	t->node = d;
	t->args = build_args(b, d->inputs, &t->arg_table, &t->arg_count);
}

static bool
build_directives(struct gql_builder *b)
{
	const struct gql_document *documents[2] = {b->sdl, b->builtin};

	b->schema->directives =
	    mem_array(b->mem, (size_t)b->sdl->count + b->builtin->count,
		sizeof(*b->schema->directives));
	if (b->schema->directives == NULL)
		return false;
	for (int i = 0; i < 2; i++) {
		for (const struct gql_definition *d = documents[i]->definitions;
		     d != NULL && !mem_failed(b->mem); d = d->next) {
			if (d->kind == GQL_DEF_DIRECTIVE && !d->extension)
				build_directive(b, d, i == 1);
		}
	}
	for (const struct gql_definition *d = b->sdl->definitions; d != NULL;
	     d = d->next) {
		struct gql_directive_type *t;

		if (d->kind != GQL_DEF_DIRECTIVE || !d->extension)
			continue;
		t = gql_table_find(
		    &b->schema->directive_table, d->name.s, d->name.len);
		if (t != NULL && t->deprecation.s == NULL)
			t->deprecation = deprecation(d->directives);
	}
	b->schema->skip = gql_schema_directive(b->schema, "skip", 4);
	b->schema->include = gql_schema_directive(b->schema, "include", 7);
	return !mem_failed(b->mem);
}

/* The schema itself -------------------------------------------------------- */

static void
build_roots(struct gql_builder *b)
{
	static const char *const names[] = {
	    [GQL_QUERY] = "Query",
	    [GQL_MUTATION] = "Mutation",
	    [GQL_SUBSCRIPTION] = "Subscription",
	};
	struct gql_schema *schema = b->schema;

	for (const struct gql_definition *d = b->sdl->definitions; d != NULL;
	     d = d->next) {
		if (d->kind != GQL_DEF_SCHEMA)
			continue;
		for (const struct gql_operation_type *o = d->operation_types;
		     o != NULL; o = o->next)
			schema->roots[o->operation] = gql_schema_type(
			    schema, o->type->name.s, o->type->name.len);
	}
	if (b->schema_node != NULL)
		schema->description = text_of(b->schema_node->description);
	for (int i = 0; b->schema_node == NULL && i < 3; i++) {
		struct gql_type *type =
		    gql_schema_type(schema, names[i], strlen(names[i]));

		if (type != NULL)
			schema->roots[i] = type;
	}
}

/* __Meta is the last type declared that isn't one; it is taken out again. */
static void
build_meta(struct gql_builder *b)
{
	struct gql_schema *schema = b->schema;
	struct gql_type *meta = gql_schema_type(schema, "__Meta", 6);

	schema->meta_typename = *gql_type_field(meta, "__typename", 10);
	schema->meta_schema = *gql_type_field(meta, "__schema", 8);
	schema->meta_type = *gql_type_field(meta, "__type", 6);
	schema->type_count--;
	meta->name.len = 0; /* nobody finds it any more */
}

/* Builtin types come last, __Meta the very last. */
static bool
build_types(struct gql_builder *b)
{
	struct gql_schema *schema = b->schema;

	schema->types =
	    mem_array(b->mem, (size_t)b->sdl->count + b->builtin->count,
		sizeof(struct gql_type *));
	gql_table_create(&schema->type_table, b->mem);
	gql_table_create(&schema->directive_table, b->mem);
	if (schema->types == NULL)
		return false;
	declare_types(b, b->sdl, false);
	declare_types(b, b->builtin, true);
	if (mem_failed(b->mem))
		return false;
	collect_nodes(b, b->sdl, false, false);
	collect_nodes(b, b->sdl, false, true);
	collect_nodes(b, b->builtin, true, false);
	for (uint32_t i = 0; i < schema->type_count; i++) {
		if (!build_members(b, schema->types[i]))
			return false;
	}
	return true;
}

bool
gql_builtin_type(const struct gql_builder *b, const struct gql_name *name)
{
	for (const struct gql_definition *d = b->builtin->definitions;
	     d != NULL; d = d->next) {
		if (is_type(d) && d->next != NULL &&
		    gql_name_equal(&d->name, name))
			return true;
	}
	return false;
}

static int
build(struct gql_builder *b)
{
	gql_sdl_check(b);
	if (b->faults->count > 0 || mem_failed(b->mem))
		return -1;
	if (!build_types(b) || !build_directives(b))
		return -1;
	build_meta(b);
	if (!build_all_possible(b))
		return -1;
	build_roots(b);
	gql_schema_check(b);
	gql_schema_check_inputs(b);
	return b->faults->count > 0 || mem_failed(b->mem) ? -1 : 0;
}

int
gql_schema_build(struct mem *m, const struct gql_document *sdl,
    struct gql_schema **out, struct gql_faults *faults)
{
	struct gql_builder b = {.mem = m, .faults = faults, .sdl = sdl};
	struct gql_document *builtin;
	struct gql_error e;

	if (gql_parse(m, gql_builtin_text, strlen(gql_builtin_text), NULL,
		&builtin, &e) != 0)
		return -1;
	b.builtin = builtin;
	b.schema = mem_alloc(m, sizeof(*b.schema));
	if (b.schema == NULL)
		return -1;
	*out = b.schema;
	return build(&b);
}
