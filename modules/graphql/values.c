/* values.c - coercion by the kind of type, of JSON and of literals. */
#include "graphql/values.h"

#include <stdio.h>
#include <string.h>

/* Where a value is within a variable's, from its end to its start. */
struct where {
	const struct where *up;
	const struct gql_name *name; /* NULL: an index */
	uint32_t index;
	struct gql_place at; /* of the variable's definition */
};

static const struct json *from_json(struct gql_coercion *c,
    const struct json *v, const struct gql_type *type,
    const struct where *where);

static const struct json *
fail(struct gql_coercion *c, struct gql_place at, const struct gql_type *type,
    const char *why)
{
	char name[128];

	(void)gql_fault_add(c->faults, "invalid_value", at,
	    "Expected a value of type \"%s\"%s.",
	    gql_type_string(type, name, sizeof(name)), why);
	return NULL;
}

/* $filters.and[1].name, cut at size. */
static size_t
put_path(char *text, size_t size, const struct where *w)
{
	size_t len = w->up == NULL ? 0 : put_path(text, size, w->up), left;
	int n;

	if (len + 1 >= size)
		return len;
	left = size - len;
	if (w->name == NULL)
		n = snprintf(text + len, left, "[%u]", w->index);
	else
		n = snprintf(text + len, left,
		    w->up == NULL ? "$%.*s" : ".%.*s", (int)w->name->len,
		    w->name->s);
	return n < 0 || (size_t)n >= left ? size - 1 : len + (size_t)n;
}

/* Of a variable's value: the fault says where in it. */
static const struct json *
misfit(struct gql_coercion *c, const struct where *w,
    const struct gql_type *type, const char *why)
{
	char name[128], path[192];

	put_path(path, sizeof(path), w);
	(void)gql_fault_add(c->faults, "invalid_variable", w->at,
	    "Variable \"%s\" has an invalid value: expected a value of type "
	    "\"%s\"%s.",
	    path, gql_type_string(type, name, sizeof(name)), why);
	return NULL;
}

/* False: there would be too many. */
static bool
count_items(struct gql_coercion *c, struct gql_place at, uint32_t n)
{
	uint32_t max = c->items_max > 0 ? c->items_max : 100000;

	if (n <= max - c->items) {
		c->items += n;
		return true;
	}
	(void)gql_fault_add(c->faults, "too_many_items", at,
	    "Lists and objects have more than %u items.", max);
	return false;
}

static const struct json *
member(const struct json *object, const struct gql_name *name)
{
	for (uint32_t i = 0; object != NULL && i < object->count; i++) {
		if (gql_name_is(name, object->members[i].name,
			object->members[i].name_len))
			return object->members[i].value;
	}
	return NULL;
}

static void
put_member(struct gql_coercion *c, struct json *object,
    const struct gql_name *name, const struct json *value)
{
	struct json_member *to = &object->members[object->count];

	to->name = mem_strndup(c->mem, name->s, name->len);
	to->name_len = name->len;
	to->value = value;
	if (to->name != NULL && value != NULL)
		object->count++;
}

/* An object without members yet, with room for count. */
static struct json *
new_object(struct gql_coercion *c, uint32_t count)
{
	struct json *object = json_object(c->mem, count);

	if (object != NULL)
		object->count = 0;
	return object;
}

static bool
one_field(const struct json *o)
{
	return o->count == 1 && o->members[0].value->type != JSON_NULL;
}

#define NOT_PROVIDED ", which was not provided"
#define ONE_OF	     ": exactly one field must be given, and not be null"

/* Scalars and enums ------------------------------------------------------- */

static bool
fits_rule(const struct gql_coercion *c, const struct gql_type *type,
    const struct json *v)
{
	for (size_t i = 0; i < c->rule_count; i++) {
		const char *name = c->rules[i].name;

		if (gql_name_is(&type->name, name, strlen(name)))
			return c->rules[i].fits(v);
	}
	return true;
}

static bool
is_number(const struct json *v)
{
	return v->type == JSON_INTEGER || v->type == JSON_NUMBER;
}

static bool
fits_scalar(const struct gql_coercion *c, const struct gql_type *type,
    const struct json *v)
{
	int64_t n;

	switch (type->scalar) {
	case GQL_SCALAR_INT:
		return is_number(v) && json_as_integer(v, &n) &&
		       n >= INT32_MIN && n <= INT32_MAX;
	case GQL_SCALAR_FLOAT:
		return is_number(v);
	case GQL_SCALAR_STRING:
		return v->type == JSON_STRING;
	case GQL_SCALAR_BOOLEAN:
		return v->type == JSON_TRUE || v->type == JSON_FALSE;
	case GQL_SCALAR_ID:
		return v->type == JSON_STRING ||
		       (is_number(v) && json_as_integer(v, &n));
	case GQL_SCALAR_CUSTOM:
		break;
	}
	return fits_rule(c, type, v);
}

/* A scalar's value, which fits: integers as such, an ID as a string. */
static const struct json *
scalar(
    struct gql_coercion *c, const struct gql_type *type, const struct json *v)
{
	const char *digits;
	int64_t n;

	if (type->scalar != GQL_SCALAR_INT && type->scalar != GQL_SCALAR_ID)
		return v;
	if (v->type == JSON_STRING || !json_as_integer(v, &n))
		return v;
	if (type->scalar == GQL_SCALAR_INT)
		return json_integer(c->mem, n);
	digits = mem_printf(c->mem, "%lld", (long long)n);
	return digits != NULL ? json_string(c->mem, digits, strlen(digits))
			      : NULL;
}

/* JSON -------------------------------------------------------------------- */

/* A field that isn't given: its default, or nothing; false: it must be. */
static bool
put_default(struct gql_coercion *c, struct json *object,
    const struct gql_input *input, struct gql_place at)
{
	const struct json *value;

	if (gql_input_required(input)) {
		fail(c, at, input->type, NOT_PROVIDED);
		return false;
	}
	if (input->default_value == NULL)
		return true;
	value = gql_literal_coerce(c, input->default_value, input->type, NULL);
	put_member(c, object, &input->name, value);
	return value != NULL;
}

static const struct json *
list_from_json(struct gql_coercion *c, const struct json *v,
    const struct gql_type *type, const struct where *where)
{
	bool single = v->type != JSON_ARRAY, good = true;
	uint32_t count = single ? 1 : v->count;
	struct json *list;

	if (!count_items(c, where->at, count))
		return NULL;
	list = json_array(c->mem, count);
	for (uint32_t i = 0; list != NULL && i < count; i++) {
		struct where item = {.up = where, .index = i, .at = where->at};

		list->items[i] =
		    single ? from_json(c, v, type->of, where)
			   : from_json(c, v->items[i], type->of, &item);
		good = good && list->items[i] != NULL;
	}
	return good ? list : NULL;
}

static bool
known_members(struct gql_coercion *c, const struct json *v,
    const struct gql_type *type, const struct where *where)
{
	const char *why;
	bool good = true;

	for (uint32_t i = 0; i < v->count; i++) {
		if (gql_type_input(type, v->members[i].name,
			v->members[i].name_len) != NULL)
			continue;
		why = mem_printf(c->mem, ", which has no field \"%.*s\"",
		    (int)v->members[i].name_len, v->members[i].name);
		misfit(c, where, type, why != NULL ? why : "");
		good = false;
	}
	return good;
}

static const struct json *
object_from_json(struct gql_coercion *c, const struct json *v,
    const struct gql_type *type, const struct where *where)
{
	struct json *object;
	bool good = true;

	if (v->type != JSON_OBJECT)
		return misfit(c, where, type, ", which is an object");
	if (!count_items(c, where->at, v->count) ||
	    (object = new_object(c, type->input_count)) == NULL)
		return NULL;
	for (uint32_t i = 0; i < type->input_count; i++) {
		const struct gql_input *input = &type->inputs[i];
		const struct json *field = member(v, &input->name);
		struct where at = {
		    .up = where, .name = &input->name, .at = where->at};

		if (field == NULL && gql_input_required(input))
			good =
			    misfit(c, &at, input->type, NOT_PROVIDED) != NULL;
		else if (field == NULL)
			good = put_default(c, object, input, where->at) && good;
		if (field == NULL)
			continue;
		field = from_json(c, field, input->type, &at);
		put_member(c, object, &input->name, field);
		good = good && field != NULL;
	}
	good = known_members(c, v, type, where) && good;
	if (good && type->one_of && !one_field(object))
		return misfit(c, where, type, ONE_OF);
	return good ? object : NULL;
}

static const struct json *
from_json(struct gql_coercion *c, const struct json *v,
    const struct gql_type *type, const struct where *where)
{
	if (type->kind == GQL_NON_NULL) {
		if (v->type == JSON_NULL)
			return misfit(c, where, type, ", not null");
		type = type->of;
	}
	if (v->type == JSON_NULL)
		return v;
	if (type->kind == GQL_LIST)
		return list_from_json(c, v, type, where);
	if (type->kind == GQL_INPUT_OBJECT)
		return object_from_json(c, v, type, where);
	if (type->kind == GQL_SCALAR)
		return fits_scalar(c, type, v) ? scalar(c, type, v)
					       : misfit(c, where, type, "");
	if (type->kind == GQL_ENUM && v->type == JSON_STRING &&
	    gql_type_value(type, v->string, v->count) != NULL)
		return v;
	return misfit(c, where, type, "");
}

/* Literals ---------------------------------------------------------------- */

/* Any literal as JSON, for scalars: NULL: no memory, or a number beyond a
 * double's range. */
static const struct json *
untyped(struct gql_coercion *c, const struct gql_value *v,
    const struct json *variables)
{
	struct gql_name name = {.s = v->text, .len = v->len};
	const struct json *value = NULL;
	struct gql_object_field *f = v->fields;
	struct gql_value *item = v->items;
	struct json *out;

	switch (v->kind) {
	case GQL_VALUE_VARIABLE:
		value = member(variables, &name);
		return value != NULL ? value : json_null(c->mem);
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
		return json_parse(
			   c->mem, v->text, v->len, NULL, &value, NULL) == 0
			   ? value
			   : NULL;
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
	case GQL_VALUE_ENUM:
		return json_string(c->mem, v->text, v->len);
	case GQL_VALUE_BOOLEAN:
		return json_bool(c->mem, v->boolean);
	case GQL_VALUE_NULL:
		return json_null(c->mem);
	case GQL_VALUE_LIST:
		out = json_array(c->mem, v->len);
		for (uint32_t i = 0; out != NULL && item != NULL;
		     i++, item = item->next) {
			out->items[i] = untyped(c, item, variables);
			if (out->items[i] == NULL)
				return NULL;
		}
		return out;
	case GQL_VALUE_OBJECT:
		out = new_object(c, v->len);
		for (; out != NULL && f != NULL; f = f->next) {
			value = untyped(c, f->value, variables);
			if (value == NULL)
				return NULL;
			put_member(c, out, &f->name, value);
		}
		return out;
	}
	return NULL;
}

/* Which literals a scalar's are, before their values are looked at. */
static bool
scalar_literal(enum gql_scalar of, enum gql_value_kind kind)
{
	bool string =
	    kind == GQL_VALUE_STRING || kind == GQL_VALUE_BLOCK_STRING;

	switch (of) {
	case GQL_SCALAR_INT:
		return kind == GQL_VALUE_INT;
	case GQL_SCALAR_FLOAT:
		return kind == GQL_VALUE_INT || kind == GQL_VALUE_FLOAT;
	case GQL_SCALAR_STRING:
		return string;
	case GQL_SCALAR_BOOLEAN:
		return kind == GQL_VALUE_BOOLEAN;
	case GQL_SCALAR_ID:
		return string || kind == GQL_VALUE_INT;
	case GQL_SCALAR_CUSTOM:
		break;
	}
	return true;
}

static const struct json *
scalar_from_literal(struct gql_coercion *c, const struct gql_value *v,
    const struct gql_type *type, const struct json *variables)
{
	const struct json *value;

	if (!scalar_literal(type->scalar, v->kind))
		return fail(c, v->at, type, "");
	/* An ID is its digits, however many they are. */
	if (type->scalar == GQL_SCALAR_ID)
		return json_string(c->mem, v->text, v->len);
	value = untyped(c, v, variables);
	if (value == NULL || !fits_scalar(c, type, value))
		return fail(c, v->at, type, "");
	return scalar(c, type, value);
}

static bool
is_missing(const struct gql_value *v, const struct json *variables)
{
	struct gql_name name = {.s = v->text, .len = v->len};

	return v->kind == GQL_VALUE_VARIABLE &&
	       member(variables, &name) == NULL;
}

static const struct json *
list_from_literal(struct gql_coercion *c, const struct gql_value *v,
    const struct gql_type *type, const struct json *variables)
{
	bool single = v->kind != GQL_VALUE_LIST, good = true;
	const struct gql_value *item = single ? v : v->items;
	uint32_t count = single ? 1 : v->len;
	struct json *list;

	if (!count_items(c, v->at, count))
		return NULL;
	list = json_array(c->mem, count);
	for (uint32_t i = 0; list != NULL && i < count;
	     i++, item = item->next) {
		bool none = type->of->kind != GQL_NON_NULL &&
			    is_missing(item, variables);

		list->items[i] =
		    none ? json_null(c->mem)
			 : gql_literal_coerce(c, item, type->of, variables);
		good = good && list->items[i] != NULL;
	}
	return good ? list : NULL;
}

static const struct gql_value *
field_of(const struct gql_value *v, const struct gql_name *name)
{
	const struct gql_object_field *f = v->fields;

	while (f != NULL && !gql_name_equal(&f->name, name))
		f = f->next;
	return f != NULL ? f->value : NULL;
}

static const struct json *
object_from_literal(struct gql_coercion *c, const struct gql_value *v,
    const struct gql_type *type, const struct json *variables)
{
	struct json *object;
	bool good = true;

	if (v->kind != GQL_VALUE_OBJECT)
		return fail(c, v->at, type, ", which is an object");
	if (!count_items(c, v->at, v->len) ||
	    (object = new_object(c, type->input_count)) == NULL)
		return NULL;
	for (uint32_t i = 0; i < type->input_count; i++) {
		const struct gql_input *input = &type->inputs[i];
		const struct gql_value *field = field_of(v, &input->name);
		const struct json *value;

		if (field == NULL || is_missing(field, variables)) {
			good = put_default(c, object, input, v->at) && good;
			continue;
		}
		value = gql_literal_coerce(c, field, input->type, variables);
		put_member(c, object, &input->name, value);
		good = good && value != NULL;
	}
	for (const struct gql_object_field *f = v->fields; f != NULL;
	     f = f->next) {
		if (gql_type_input(type, f->name.s, f->name.len) != NULL)
			continue;
		fail(c, f->name.at, type, ", which has no such field");
		good = false;
	}
	if (good && type->one_of && (v->len != 1 || !one_field(object)))
		return fail(c, v->at, type, ONE_OF);
	return good ? object : NULL;
}

const struct json *
gql_literal_coerce(struct gql_coercion *c, const struct gql_value *v,
    const struct gql_type *type, const struct json *variables)
{
	struct gql_name name = {.s = v->text, .len = v->len};
	const struct json *value = NULL;

	if (v->kind == GQL_VALUE_VARIABLE) {
		/* Its type was compared when the document was validated. */
		value = member(variables, &name);
		if (type->kind == GQL_NON_NULL &&
		    (value == NULL || value->type == JSON_NULL))
			return fail(c, v->at, type, ", not null");
		return value;
	}
	if (type->kind == GQL_NON_NULL) {
		if (v->kind == GQL_VALUE_NULL)
			return fail(c, v->at, type, ", not null");
		type = type->of;
	}
	if (v->kind == GQL_VALUE_NULL)
		return json_null(c->mem);
	if (type->kind == GQL_LIST)
		return list_from_literal(c, v, type, variables);
	if (type->kind == GQL_INPUT_OBJECT)
		return object_from_literal(c, v, type, variables);
	if (type->kind == GQL_SCALAR)
		return scalar_from_literal(c, v, type, variables);
	if (type->kind == GQL_ENUM && v->kind == GQL_VALUE_ENUM &&
	    gql_type_value(type, v->text, v->len) != NULL)
		return json_string(c->mem, v->text, v->len);
	return fail(c, v->at, type, "");
}

/* Variables and arguments ------------------------------------------------- */

static bool
put_variable(struct gql_coercion *c, const struct gql_variable_definition *d,
    const struct json *given, struct json *out)
{
	const struct gql_type *type =
	    gql_schema_ref(c->schema, c->mem, d->type);
	const struct json *value = member(given, &d->name);
	struct where where = {.name = &d->name, .at = d->at};

	if (type == NULL || !gql_type_is_input(type)) {
		(void)gql_fault_add(c->faults, "invalid_value", d->type->at,
		    "A variable's type must be an input type.");
		return false;
	}
	if (value == NULL && d->default_value != NULL)
		value = gql_literal_coerce(c, d->default_value, type, NULL);
	else if (value != NULL)
		value = from_json(c, value, type, &where);
	else if (type->kind == GQL_NON_NULL)
		value = misfit(c, &where, type, NOT_PROVIDED);
	else
		return true;
	put_member(c, out, &d->name, value);
	return value != NULL;
}

int
gql_variables_coerce(struct gql_coercion *c,
    const struct gql_definition *operation, const struct json *given,
    const struct json **out)
{
	const struct gql_variable_definition *d;
	struct json *values;
	uint32_t count = 0;
	bool good = true;

	if (given != NULL && given->type != JSON_OBJECT)
		given = NULL;
	for (d = operation->variables; d != NULL; d = d->next)
		count++;
	values = new_object(c, count);
	for (d = operation->variables; values != NULL && d != NULL; d = d->next)
		good = put_variable(c, d, given, values) && good;
	*out = values;
	return good && values != NULL && !mem_failed(c->mem) ? 0 : -1;
}

static const struct gql_value *
argument_of(const struct gql_argument *a, const struct gql_name *name)
{
	while (a != NULL && !gql_name_equal(&a->name, name))
		a = a->next;
	return a != NULL ? a->value : NULL;
}

int
gql_arguments_coerce(struct gql_coercion *c, const struct gql_input *inputs,
    uint32_t count, const struct gql_argument *arguments, struct gql_place at,
    const struct json *variables, const struct json **out)
{
	struct json *values = new_object(c, count);
	bool good = true;

	for (uint32_t i = 0; values != NULL && i < count; i++) {
		const struct gql_value *v =
		    argument_of(arguments, &inputs[i].name);
		const struct json *value;

		if (v == NULL || (is_missing(v, variables) &&
				     !gql_input_required(&inputs[i]))) {
			good = put_default(c, values, &inputs[i], at) && good;
			continue;
		}
		value = gql_literal_coerce(c, v, inputs[i].type, variables);
		put_member(c, values, &inputs[i].name, value);
		good = good && value != NULL;
	}
	*out = values;
	return good && values != NULL && !mem_failed(c->mem) ? 0 : -1;
}
