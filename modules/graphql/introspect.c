/* introspect.c - the types of introspection (chapter 4) over the schema: for
 * each a table of its fields and what writes them.
 * long: its tables, read as one. */
#include "graphql/introspect.h"

#include <string.h>

#include "dag/json.h"
#include "graphql/print.h"

#define LIMIT ((size_t)4 << 20)

struct answer {
	struct gql_introspection *in;
	struct buf *out;
};

/* A field's value: of is the schema, type, field … it is about. */
typedef void (*writer)(
    struct answer *a, const struct gql_collected *field, const void *of);

struct row {
	const char *name;
	writer write;
};

struct kind {
	const char *type;
	const struct row *rows;
	size_t count;
};

static const struct kind type_kind, field_kind, input_kind, value_kind,
    directive_kind;

/* Objects ------------------------------------------------------------------ */

/* What is asked of an object is the same for each of a list: it is collected
 * once. */
static struct gql_collected *
below(struct answer *a, const struct gql_collected *field,
    const struct kind *kind)
{
	struct gql_collector *c = a->in->collector;
	struct gql_collected *known = (struct gql_collected *)(uintptr_t)field;
	const struct gql_type *type;

	if (field->below_known)
		return field->below;
	type = gql_schema_type(c->schema, kind->type, strlen(kind->type));
	if (type == NULL ||
	    gql_collect_below(c, type, field, &known->below) != 0)
		return NULL;
	known->below_known = true;
	return known->below;
}

static void
put_text(struct answer *a, const char *s, size_t len)
{
	if (s == NULL)
		buf_puts(a->out, "null");
	else
		json_write_string(a->out, s, len);
}

static void
put_bool(struct answer *a, bool value)
{
	buf_puts(a->out, value ? "true" : "false");
}

static void
put_object(struct answer *a, const struct gql_collected *field,
    const struct kind *kind, const void *of)
{
	char sign = '{';

	for (const struct gql_collected *f = below(a, field, kind); f != NULL;
	     f = f->next) {
		size_t i = 0;

		buf_putc(a->out, sign);
		sign = ',';
		json_write_string(a->out, f->response.s, f->response.len);
		buf_putc(a->out, ':');
		while (i < kind->count &&
		       !gql_name_is(&f->field->name, kind->rows[i].name,
			   strlen(kind->rows[i].name)))
			i++;
		if (i < kind->count)
			kind->rows[i].write(a, f, of);
		else
			put_text(a, kind->type, strlen(kind->type));
	}
	buf_puts(a->out, sign == '{' ? "{}" : "}");
}

/* Lists: of count things of size bytes, those that are shown. */
struct list {
	const struct kind *kind;
	const void *first;
	size_t count, size;
	size_t deprecation; /* where a thing's struct gql_text is */
};

static bool
with_deprecated(struct answer *a, const struct gql_collected *field)
{
	const struct gql_collector *c = a->in->collector;

	for (const struct gql_argument *x = field->nodes[0]->arguments;
	     x != NULL; x = x->next) {
		struct gql_name name;

		if (!gql_name_is(&x->name, "includeDeprecated", 17))
			continue;
		if (x->value->kind != GQL_VALUE_VARIABLE)
			return x->value->kind == GQL_VALUE_BOOLEAN &&
			       x->value->boolean;
		name.s = x->value->text;
		name.len = x->value->len;
		name.at = x->value->at;
		return c->variable != NULL && c->variable(c->arg, &name);
	}
	return false;
}

static void
put_list(struct answer *a, const struct gql_collected *field,
    const struct list *list)
{
	bool all = with_deprecated(a, field);
	char sign = '[';

	for (size_t i = 0; i < list->count && !buf_failed(a->out); i++) {
		const char *thing = (const char *)list->first + i * list->size;
		struct gql_text reason;

		memcpy(&reason, thing + list->deprecation, sizeof(reason));
		if (reason.s != NULL && !all)
			continue;
		buf_putc(a->out, sign);
		sign = ',';
		put_object(a, field, list->kind, thing);
	}
	buf_puts(a->out, sign == '[' ? "[]" : "]");
}

static void
put_types(struct answer *a, const struct gql_collected *field,
    const struct gql_type *const *types, uint32_t count)
{
	buf_putc(a->out, '[');
	for (uint32_t i = 0; i < count && !buf_failed(a->out); i++) {
		if (i > 0)
			buf_putc(a->out, ',');
		put_object(a, field, &type_kind, types[i]);
	}
	buf_putc(a->out, ']');
}

static void
put_type(struct answer *a, const struct gql_collected *field,
    const struct gql_type *type)
{
	if (type == NULL)
		buf_puts(a->out, "null");
	else
		put_object(a, field, &type_kind, type);
}

static void
put_inputs(struct answer *a, const struct gql_collected *field,
    const struct gql_input *inputs, uint32_t count)
{
	struct list list = {&input_kind, inputs, count, sizeof(*inputs),
	    offsetof(struct gql_input, deprecation)};

	put_list(a, field, &list);
}

/* __Schema ----------------------------------------------------------------- */

static void
schema_description(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_schema *s = of;

	(void)field;
	put_text(a, s->description.s, s->description.len);
}

static void
schema_types(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_schema *s = of;

	put_types(
	    a, field, (const struct gql_type *const *)s->types, s->type_count);
}

static void
schema_query(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(a, field, ((const struct gql_schema *)of)->roots[GQL_QUERY]);
}

static void
schema_mutation(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(
	    a, field, ((const struct gql_schema *)of)->roots[GQL_MUTATION]);
}

static void
schema_subscription(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(
	    a, field, ((const struct gql_schema *)of)->roots[GQL_SUBSCRIPTION]);
}

static void
schema_directives(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_schema *s = of;
	struct list list = {&directive_kind, s->directives, s->directive_count,
	    sizeof(*s->directives),
	    offsetof(struct gql_directive_type, deprecation)};

	put_list(a, field, &list);
}

/* __Type ------------------------------------------------------------------- */

static void
type_kind_name(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	static const char *const names[] = {
	    [GQL_SCALAR] = "SCALAR",
	    [GQL_OBJECT] = "OBJECT",
	    [GQL_INTERFACE] = "INTERFACE",
	    [GQL_UNION] = "UNION",
	    [GQL_ENUM] = "ENUM",
	    [GQL_INPUT_OBJECT] = "INPUT_OBJECT",
	    [GQL_LIST] = "LIST",
	    [GQL_NON_NULL] = "NON_NULL",
	};
	const char *name = names[((const struct gql_type *)of)->kind];

	(void)field;
	put_text(a, name, strlen(name));
}

static void
type_name(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	(void)field;
	put_text(a, t->name.s, t->name.len);
}

static void
type_description(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	(void)field;
	put_text(a, t->description.s, t->description.len);
}

static void
type_specified_by(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	(void)field;
	put_text(a, t->specified_by.s, t->specified_by.len);
}

static void
type_fields(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;
	struct list list = {&field_kind, t->fields, t->field_count,
	    sizeof(*t->fields), offsetof(struct gql_field, deprecation)};

	if (t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE)
		put_list(a, field, &list);
	else
		buf_puts(a->out, "null");
}

static void
type_interfaces(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	if (t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE)
		put_types(a, field, t->interfaces, t->interface_count);
	else
		buf_puts(a->out, "null");
}

static void
type_possible(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	if (gql_type_is_abstract(t))
		put_types(a, field, t->possible, t->possible_count);
	else
		buf_puts(a->out, "null");
}

static void
type_values(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;
	struct list list = {&value_kind, t->values, t->value_count,
	    sizeof(*t->values), offsetof(struct gql_enum_value, deprecation)};

	if (t->kind == GQL_ENUM)
		put_list(a, field, &list);
	else
		buf_puts(a->out, "null");
}

static void
type_inputs(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	if (t->kind == GQL_INPUT_OBJECT)
		put_inputs(a, field, t->inputs, t->input_count);
	else
		buf_puts(a->out, "null");
}

static void
type_of(struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(a, field, ((const struct gql_type *)of)->of);
}

static void
type_one_of(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_type *t = of;

	(void)field;
	if (t->kind == GQL_INPUT_OBJECT)
		put_bool(a, t->one_of);
	else
		buf_puts(a->out, "null");
}

/* What fields, inputs, values and directives have alike --------------------- */

#define COMMON(prefix, thing)                                                  \
	static void prefix##_name(struct answer *a,                            \
	    const struct gql_collected *field, const void *of)                 \
	{                                                                      \
		const struct thing *x = of;                                    \
                                                                               \
		(void)field;                                                   \
		put_text(a, x->name.s, x->name.len);                           \
	}                                                                      \
	static void prefix##_description(struct answer *a,                     \
	    const struct gql_collected *field, const void *of)                 \
	{                                                                      \
		const struct thing *x = of;                                    \
                                                                               \
		(void)field;                                                   \
		put_text(a, x->description.s, x->description.len);             \
	}                                                                      \
	static void prefix##_is_deprecated(struct answer *a,                   \
	    const struct gql_collected *field, const void *of)                 \
	{                                                                      \
		(void)field;                                                   \
		put_bool(                                                      \
		    a, ((const struct thing *)of)->deprecation.s != NULL);     \
	}                                                                      \
	static void prefix##_deprecation(struct answer *a,                     \
	    const struct gql_collected *field, const void *of)                 \
	{                                                                      \
		const struct thing *x = of;                                    \
                                                                               \
		(void)field;                                                   \
		put_text(a, x->deprecation.s, x->deprecation.len);             \
	}

COMMON(field, gql_field)
COMMON(input, gql_input)
COMMON(value, gql_enum_value)
COMMON(directive, gql_directive_type)

#define COMMON_ROWS(prefix)                                                    \
	{"name", prefix##_name}, {"description", prefix##_description},        \
	    {"isDeprecated", prefix##_is_deprecated},                          \
	{                                                                      \
		"deprecationReason", prefix##_deprecation                      \
	}

static void
field_args(struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_field *x = of;

	put_inputs(a, field, x->args, x->arg_count);
}

static void
field_type(struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(a, field, ((const struct gql_field *)of)->type);
}

static void
input_type(struct answer *a, const struct gql_collected *field, const void *of)
{
	put_type(a, field, ((const struct gql_input *)of)->type);
}

static void
input_default(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_input *x = of;
	struct buf text;

	(void)field;
	if (x->default_value == NULL) {
		buf_puts(a->out, "null");
		return;
	}
	buf_create(&text, LIMIT);
	gql_print_value(&text, x->default_value);
	if (buf_failed(&text))
		a->out->failed = true;
	else
		json_write_string(a->out, text.data, text.len);
	buf_free(&text);
}

static void
directive_repeatable(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	(void)field;
	put_bool(a, ((const struct gql_directive_type *)of)->repeatable);
}

static void
directive_locations(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	uint32_t locations = ((const struct gql_directive_type *)of)->locations;
	const char *name;
	char sign = '[';

	(void)field;
	for (uint32_t i = 0; i < GQL_DIRECTIVE_LOCATIONS; i++) {
		if ((locations >> i & 1) == 0)
			continue;
		buf_putc(a->out, sign);
		sign = ',';
		name =
		    gql_directive_location_name((enum gql_directive_location)i);
		json_write_string(a->out, name, strlen(name));
	}
	buf_puts(a->out, sign == '[' ? "[]" : "]");
}

static void
directive_args(
    struct answer *a, const struct gql_collected *field, const void *of)
{
	const struct gql_directive_type *x = of;

	put_inputs(a, field, x->args, x->arg_count);
}

/* Tables ------------------------------------------------------------------- */

static const struct row schema_rows[] = {
    {"description", schema_description},
    {"types", schema_types},
    {"queryType", schema_query},
    {"mutationType", schema_mutation},
    {"subscriptionType", schema_subscription},
    {"directives", schema_directives},
};
static const struct row type_rows[] = {
    {"kind", type_kind_name},
    {"name", type_name},
    {"description", type_description},
    {"specifiedByURL", type_specified_by},
    {"fields", type_fields},
    {"interfaces", type_interfaces},
    {"possibleTypes", type_possible},
    {"enumValues", type_values},
    {"inputFields", type_inputs},
    {"ofType", type_of},
    {"isOneOf", type_one_of},
};
static const struct row field_rows[] = {
    COMMON_ROWS(field),
    {"args", field_args},
    {"type", field_type},
};
static const struct row input_rows[] = {
    COMMON_ROWS(input),
    {"type", input_type},
    {"defaultValue", input_default},
};
static const struct row value_rows[] = {COMMON_ROWS(value)};
static const struct row directive_rows[] = {
    COMMON_ROWS(directive),
    {"isRepeatable", directive_repeatable},
    {"locations", directive_locations},
    {"args", directive_args},
};

#define KIND(name, rows)                                                       \
	{                                                                      \
		name, rows, sizeof(rows) / sizeof((rows)[0])                   \
	}

static const struct kind schema_kind = KIND("__Schema", schema_rows);
static const struct kind type_kind = KIND("__Type", type_rows);
static const struct kind field_kind = KIND("__Field", field_rows);
static const struct kind input_kind = KIND("__InputValue", input_rows);
static const struct kind value_kind = KIND("__EnumValue", value_rows);
static const struct kind directive_kind = KIND("__Directive", directive_rows);

/* Root fields -------------------------------------------------------------- */

bool
gql_is_introspection(
    const struct gql_schema *schema, const struct gql_collected *field)
{
	return field->field == &schema->meta_schema ||
	       field->field == &schema->meta_type;
}

/* The type that __type(name:) asks for, NULL: there is none. */
static const struct gql_type *
asked_type(struct answer *a, const struct gql_collected *field)
{
	const struct gql_argument *x = field->nodes[0]->arguments;
	const struct gql_text *text;
	struct gql_name name;

	while (x != NULL && !gql_name_is(&x->name, "name", 4))
		x = x->next;
	if (x == NULL)
		return NULL;
	if (x->value->kind == GQL_VALUE_STRING ||
	    x->value->kind == GQL_VALUE_BLOCK_STRING)
		return gql_schema_type(
		    a->in->collector->schema, x->value->text, x->value->len);
	if (x->value->kind != GQL_VALUE_VARIABLE || a->in->string == NULL)
		return NULL;
	name.s = x->value->text;
	name.len = x->value->len;
	name.at = x->value->at;
	text = a->in->string(a->in->arg, &name);
	return text == NULL || text->s == NULL
		   ? NULL
		   : gql_schema_type(
			 a->in->collector->schema, text->s, text->len);
}

int
gql_introspect(struct gql_introspection *in, const struct gql_collected *field,
    struct buf *out, struct gql_error *e)
{
	const struct gql_schema *schema = in->collector->schema;
	size_t before = out->limit;
	size_t limit = out->len + (in->limit != 0 ? in->limit : LIMIT);
	struct answer a = {.in = in, .out = out};
	struct gql_place at = field->nodes[0]->at;

	if (before == 0 || limit < before)
		out->limit = limit;
	if (field->field == &schema->meta_schema)
		put_object(&a, field, &schema_kind, schema);
	else
		put_type(&a, field, asked_type(&a, field));
	out->limit = before;
	if (mem_failed(in->collector->mem))
		return gql_fail(e, "out_of_memory", at,
		    "There is not enough memory for the request.");
	if (buf_failed(out))
		return gql_fail(e, "response_too_large", at,
		    "The answer is too large: ask for less at a time.");
	return 0;
}
