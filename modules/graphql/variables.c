/* variables.c - values of variables against their types (3.x, Input Coercion).
 *
 * A value that is none of its type is told by its place in the variables:
 * `$filters.and[1].name`.
 */
#include "graphql/variables.h"

#include <stdio.h>
#include <string.h>

struct place {
	const struct place *up;
	const char *name; /* NULL: an index */
	size_t len;
	uint32_t index;
};

struct coercion {
	struct mem *mem;
	const struct gql_schema *schema;
	struct gql_error *e;
	struct gql_place at;
};

static const struct json *coerce(struct coercion *, const struct gql_type *,
    const struct json *, const struct place *);

/* --- errors --------------------------------------------------------------- */

static size_t
put_place(char *text, size_t size, const struct place *p)
{
	size_t len = p->up == NULL ? 0 : put_place(text, size, p->up);

	if (len >= size)
		return len;
	if (p->name != NULL)
		return len + (size_t)snprintf(text + len, size - len,
				 p->up == NULL ? "$%.*s" : ".%.*s", (int)p->len,
				 p->name);
	return len + (size_t)snprintf(text + len, size - len, "[%u]", p->index);
}

static const struct json *
fail(struct coercion *c, const struct place *p, const char *what,
    const struct gql_type *type)
{
	char place[128], name[64];

	put_place(place, sizeof(place), p);
	gql_fail(c->e, "invalid_variable", c->at, "Variable %s%s%s.", place,
	    what,
	    type == NULL ? "" : gql_type_string(type, name, sizeof(name)));
	return NULL;
}

/* --- literals: defaults --------------------------------------------------- */

static const struct json *literal(struct mem *, const struct gql_value *);

static const struct json *
literal_list(struct mem *m, const struct gql_value *v)
{
	struct json *list = json_array(m, v->len);
	const struct gql_value *item = v->items;

	for (uint32_t i = 0; list != NULL && item != NULL;
	     i++, item = item->next)
		list->items[i] = literal(m, item);
	return list;
}

static const struct json *
literal_object(struct mem *m, const struct gql_value *v)
{
	struct json *object = json_object(m, v->len);
	const struct gql_object_field *f = v->fields;

	for (uint32_t i = 0; object != NULL && f != NULL; i++, f = f->next) {
		object->members[i].name =
		    mem_strndup(m, f->name.s, f->name.len);
		object->members[i].name_len = f->name.len;
		object->members[i].value = literal(m, f->value);
	}
	return object;
}

static const struct json *
literal(struct mem *m, const struct gql_value *v)
{
	const struct json *out = NULL;
	struct err e;
	char *text;

	switch (v->kind) {
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
		err_clear(&e);
		text = mem_strndup(m, v->text, v->len);
		if (text == NULL ||
		    json_parse(m, text, v->len, NULL, &out, &e) != 0)
			return json_null(m);
		return out;
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
	case GQL_VALUE_ENUM:
		return json_string(m, v->text, v->len);
	case GQL_VALUE_BOOLEAN:
		return json_bool(m, v->boolean);
	case GQL_VALUE_LIST:
		return literal_list(m, v);
	case GQL_VALUE_OBJECT:
		return literal_object(m, v);
	case GQL_VALUE_VARIABLE:
	case GQL_VALUE_NULL:
		break;
	}
	return json_null(m);
}

/* --- values --------------------------------------------------------------- */

static bool
fits_scalar(const struct gql_type *type, const struct json *v)
{
	int64_t n;

	switch (type->scalar) {
	case GQL_SCALAR_INT:
		return (v->type == JSON_INTEGER || v->type == JSON_NUMBER) &&
		       json_as_integer(v, &n) && n >= INT32_MIN &&
		       n <= INT32_MAX;
	case GQL_SCALAR_FLOAT:
		return v->type == JSON_INTEGER || v->type == JSON_NUMBER;
	case GQL_SCALAR_STRING:
		return v->type == JSON_STRING;
	case GQL_SCALAR_BOOLEAN:
		return v->type == JSON_TRUE || v->type == JSON_FALSE;
	case GQL_SCALAR_ID:
		return v->type == JSON_STRING || v->type == JSON_INTEGER;
	case GQL_SCALAR_CUSTOM:
		break;
	}
	return true;
}

static const struct json *
coerce_list(struct coercion *c, const struct gql_type *type,
    const struct json *v, const struct place *p)
{
	bool is_list = v->type == JSON_ARRAY;
	struct json *list = json_array(c->mem, is_list ? v->count : 1);
	struct place at = {.up = p};

	if (list == NULL)
		return NULL;
	if (!is_list) {
		list->items[0] = coerce(c, type->of, v, p);
		return list->items[0] == NULL ? NULL : list;
	}
	for (; at.index < v->count; at.index++) {
		list->items[at.index] =
		    coerce(c, type->of, v->items[at.index], &at);
		if (list->items[at.index] == NULL)
			return NULL;
	}
	return list;
}

/* A field of the object: given, its default, or absent (*out NULL). */
static bool
coerce_field(struct coercion *c, const struct gql_input *input,
    const struct json *object, const struct place *p, const struct json **out)
{
	struct place at = {
	    .up = p, .name = input->name.s, .len = input->name.len};
	uint32_t i = 0;

	*out = NULL;
	while (i < object->count &&
	       !gql_name_is(&input->name, object->members[i].name,
		   object->members[i].name_len))
		i++;
	if (i < object->count)
		*out = coerce(c, input->type, object->members[i].value, &at);
	else if (input->default_value != NULL)
		*out = literal(c->mem, input->default_value);
	else if (gql_input_required(input))
		fail(c, &at, " is missing; it is of type ", input->type);
	else
		return true;
	return *out != NULL;
}

static const struct json *
coerce_object(struct coercion *c, const struct gql_type *type,
    const struct json *v, const struct place *p)
{
	struct json *object;
	uint32_t count = 0;

	if (v->type != JSON_OBJECT)
		return fail(c, p, " must be an object of type ", type);
	for (uint32_t i = 0; i < v->count; i++)
		if (gql_type_input(type, v->members[i].name,
			v->members[i].name_len) == NULL) {
			struct place at = {.up = p,
			    .name = v->members[i].name,
			    .len = v->members[i].name_len};

			return fail(c, &at, " is no field of type ", type);
		}
	if ((object = json_object(c->mem, type->input_count)) == NULL)
		return NULL;
	for (uint32_t i = 0; i < type->input_count; i++) {
		const struct gql_input *input = &type->inputs[i];
		const struct json *value;

		if (!coerce_field(c, input, v, p, &value))
			return NULL;
		if (value == NULL)
			continue;
		object->members[count].name =
		    mem_strndup(c->mem, input->name.s, input->name.len);
		object->members[count].name_len = input->name.len;
		object->members[count++].value = value;
	}
	object->count = count;
	if (type->one_of &&
	    (count != 1 || object->members[0].value->type == JSON_NULL))
		return fail(
		    c, p, " must have exactly one field of type ", type);
	return object;
}

/* NULL: it failed. */
static const struct json *
coerce(struct coercion *c, const struct gql_type *type, const struct json *v,
    const struct place *p)
{
	if (type->kind == GQL_NON_NULL) {
		if (v->type == JSON_NULL)
			return fail(
			    c, p, " must not be null; it is of type ", type);
		type = type->of;
	}
	if (v->type == JSON_NULL)
		return v;
	switch (type->kind) {
	case GQL_LIST:
		return coerce_list(c, type, v, p);
	case GQL_INPUT_OBJECT:
		return coerce_object(c, type, v, p);
	case GQL_ENUM:
		if (v->type != JSON_STRING ||
		    gql_type_value(type, v->string, v->count) == NULL)
			return fail(c, p, " is no value of type ", type);
		return v;
	case GQL_SCALAR:
		if (!fits_scalar(type, v))
			return fail(c, p, " is no value of type ", type);
		return v;
	case GQL_OBJECT:
	case GQL_INTERFACE:
	case GQL_UNION:
	case GQL_NON_NULL:
		break;
	}
	return fail(c, p, " is not of an input type: ", type);
}

static const struct json *
given_value(const struct json *given, const struct gql_name *name)
{
	for (uint32_t i = 0; given != NULL && i < given->count; i++)
		if (gql_name_is(name, given->members[i].name,
			given->members[i].name_len))
			return given->members[i].value;
	return NULL;
}

int
variables_coerce(struct mem *m, const struct gql_schema *schema,
    const struct gql_definition *operation, const struct json *given,
    const struct json **out, struct gql_error *e)
{
	struct coercion c = {.mem = m, .schema = schema, .e = e};
	const struct gql_variable_definition *d;
	struct json *variables;
	uint32_t count = 0;

	for (d = operation->variables; d != NULL; d = d->next)
		count++;
	*out = NULL;
	if (count == 0)
		return 0;
	if ((variables = json_object(m, count)) == NULL)
		return gql_fail(
		    e, "out_of_memory", operation->at, "Out of memory.");
	variables->count = 0;
	for (d = operation->variables; d != NULL; d = d->next) {
		const struct gql_type *type =
		    gql_schema_ref(schema, m, d->type);
		const struct json *v = given_value(given, &d->name);
		struct json_member *member =
		    &variables->members[variables->count];
		struct place at = {.name = d->name.s, .len = d->name.len};

		c.at = d->variable_at;
		if (v == NULL && d->default_value != NULL)
			v = literal(m, d->default_value);
		if (v == NULL && type != NULL && type->kind != GQL_NON_NULL)
			continue;
		if (v == NULL || type == NULL) {
			fail(&c, &at, " is missing; it is of type ", type);
			return -1;
		}
		member->name = mem_strndup(m, d->name.s, d->name.len);
		member->name_len = d->name.len;
		if ((member->value = coerce(&c, type, v, &at)) == NULL) {
			if (e->code == NULL)
				gql_fail(e, "out_of_memory", d->at,
				    "Out of memory.");
			return -1;
		}
		variables->count++;
	}
	*out = variables;
	return 0;
}
