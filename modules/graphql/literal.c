/* literal.c - values of correct type (5.6.1), required input fields (5.6.4),
 * one-of input objects (3.10.1), for a value as written. */
#include "graphql/literal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct gql_faults *faults;
	const char *code;
};

static void check_value(struct check *c, const struct gql_value *value,
    const struct gql_type *type);

static void
fail(struct check *c, const struct gql_value *value,
    const struct gql_type *type, const char *why)
{
	char name[128];

	(void)gql_fault_add(c->faults, c->code, value->at,
	    "Expected a value of type \"%s\"%s.",
	    gql_type_string(type, name, sizeof(name)), why);
}

/* -2^31 … 2^31 - 1, in decimal digits with at most a minus before them. */
static bool
is_int32(const struct gql_value *value)
{
	bool negative = value->len > 0 && value->text[0] == '-';
	int64_t n = 0;

	for (uint32_t i = negative ? 1 : 0; i < value->len; i++) {
		n = 10 * n + (value->text[i] - '0');
		if (n > INT64_C(2147483648))
			return false;
	}
	return negative || n <= INT32_MAX;
}

/* 3.5.2: beyond what IEEE 754 has as a finite number is a request error. What
 * follows a number in a document ends it for strtod, too. */
static bool
is_finite(const struct gql_value *value)
{
	return (value->kind == GQL_VALUE_INT ||
		   value->kind == GQL_VALUE_FLOAT) &&
	       isfinite(strtod(value->text, NULL));
}

static bool
scalar_fits(enum gql_scalar scalar, const struct gql_value *value)
{
	enum gql_value_kind kind = value->kind;
	bool text = kind == GQL_VALUE_STRING || kind == GQL_VALUE_BLOCK_STRING;

	switch (scalar) {
	case GQL_SCALAR_INT:
		return kind == GQL_VALUE_INT && is_int32(value);
	case GQL_SCALAR_FLOAT:
		return is_finite(value);
	case GQL_SCALAR_STRING:
		return text;
	case GQL_SCALAR_BOOLEAN:
		return kind == GQL_VALUE_BOOLEAN;
	case GQL_SCALAR_ID:
		return text || kind == GQL_VALUE_INT;
	case GQL_SCALAR_CUSTOM:
	default:
		return true;
	}
}

static void
check_leaf(
    struct check *c, const struct gql_value *value, const struct gql_type *type)
{
	if (type->kind == GQL_SCALAR) {
		if (!scalar_fits(type->scalar, value))
			fail(c, value, type,
			    value->kind == GQL_VALUE_INT
				? ", of 32 bits"
				: ", found one of another kind");
		return;
	}
	if (value->kind != GQL_VALUE_ENUM ||
	    gql_type_value(type, value->text, value->len) == NULL)
		fail(c, value, type, ", found none of its values");
}

/* Of fields with the same name the last counts (another rule refuses them). A
 * schema's input objects have few fields, so it isn't worth a table. */
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
check_one_of(
    struct check *c, const struct gql_value *value, const struct gql_type *type)
{
	const struct gql_object_field *one = NULL;
	uint32_t known = 0;

	for (const struct gql_object_field *f = value->fields; f != NULL;
	     f = f->next) {
		if (gql_type_input(type, f->name.s, f->name.len) != NULL) {
			known++;
			if (one == NULL)
				one = f;
		}
	}
	if (known != 1 || one->value->kind == GQL_VALUE_NULL)
		fail(c, value, type,
		    ": exactly one field must be given, and not null");
}

static void
check_object(
    struct check *c, const struct gql_value *value, const struct gql_type *type)
{
	const struct gql_object_field *field;

	if (value->kind != GQL_VALUE_OBJECT) {
		fail(c, value, type, ", an object");
		return;
	}
	for (uint32_t i = 0; i < type->input_count; i++) {
		field = given(value, &type->inputs[i].name);
		if (field != NULL)
			check_value(c, field->value, type->inputs[i].type);
		else if (gql_input_required(&type->inputs[i]))
			(void)gql_fault_add(c->faults, c->code, value->at,
			    "Field \"%.*s\" of type \"%.*s\" is required.",
			    (int)type->inputs[i].name.len,
			    type->inputs[i].name.s, (int)type->name.len,
			    type->name.s);
	}
	for (field = value->fields; field != NULL; field = field->next) {
		if (gql_type_input(type, field->name.s, field->name.len) ==
		    NULL)
			(void)gql_fault_add(c->faults, c->code, field->name.at,
			    "Type \"%.*s\" has no field \"%.*s\".",
			    (int)type->name.len, type->name.s,
			    (int)field->name.len, field->name.s);
	}
	if (type->one_of)
		check_one_of(c, value, type);
}

static void
check_list(
    struct check *c, const struct gql_value *value, const struct gql_type *type)
{
	if (value->kind != GQL_VALUE_LIST) {
		check_value(c, value, type->of);
		return;
	}
	for (const struct gql_value *v = value->items;
	     v != NULL && !c->faults->full; v = v->next)
		check_value(c, v, type->of);
}

static void
check_value(
    struct check *c, const struct gql_value *value, const struct gql_type *type)
{
	if (value->kind == GQL_VALUE_VARIABLE)
		return;
	if (type->kind == GQL_NON_NULL) {
		if (value->kind == GQL_VALUE_NULL) {
			fail(c, value, type, ", found null");
			return;
		}
		type = type->of;
	}
	if (value->kind == GQL_VALUE_NULL)
		return;
	if (type->kind == GQL_LIST)
		check_list(c, value, type);
	else if (type->kind == GQL_INPUT_OBJECT)
		check_object(c, value, type);
	else if (gql_type_is_leaf(type))
		check_leaf(c, value, type);
}

void
gql_literal_check(struct gql_faults *faults, const char *code,
    const struct gql_value *value, const struct gql_type *type)
{
	struct check c = {.faults = faults, .code = code};

	check_value(&c, value, type);
}
