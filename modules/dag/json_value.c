/* json_value.c - asks and builds JSON trees. */
#include "dag/json.h"

#include <math.h>
#include <string.h>

const struct json *
json_get(const struct json *object, const char *name)
{
	size_t len = strlen(name);

	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->count; i++) {
		const struct json_member *m = &object->members[i];

		if (m->name_len == len && memcmp(m->name, name, len) == 0)
			return m->value;
	}
	return NULL;
}

bool
json_is_string(const struct json *v, const char *s)
{
	return v != NULL && v->type == JSON_STRING && strcmp(v->string, s) == 0;
}

bool
json_as_integer(const struct json *v, int64_t *out)
{
	if (v->type == JSON_INTEGER) {
		*out = v->integer;
		return true;
	}
	/* -2^63 <= n < 2^63, the bounds being exact as doubles */
	if (v->type != JSON_NUMBER || !(v->number >= -0x1p63) ||
	    !(v->number < 0x1p63) || v->number != floor(v->number))
		return false;
	*out = (int64_t)v->number;
	return true;
}

static bool
equal_numbers(const struct json *a, const struct json *b)
{
	int64_t x, y;

	if (json_as_integer(a, &x) && json_as_integer(b, &y))
		return x == y;
	return a->type == JSON_NUMBER && b->type == JSON_NUMBER &&
	       !(a->number < b->number) && !(a->number > b->number);
}

static bool
equal_objects(const struct json *a, const struct json *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const struct json_member *x = &a->members[i];
		const struct json_member *y = &b->members[i];
		const struct json *other;

		if (x->name_len == y->name_len &&
		    memcmp(x->name, y->name, x->name_len) == 0)
			other = y->value;
		else
			other = json_get(b, x->name);
		if (other == NULL || !json_equal(x->value, other))
			return false;
	}
	return true;
}

bool
json_equal(const struct json *a, const struct json *b)
{
	if ((a->type == JSON_INTEGER || a->type == JSON_NUMBER) &&
	    (b->type == JSON_INTEGER || b->type == JSON_NUMBER))
		return equal_numbers(a, b);
	if (a->type != b->type || a->count != b->count)
		return false;
	if (a->type == JSON_STRING)
		return memcmp(a->string, b->string, a->count) == 0;
	if (a->type == JSON_OBJECT)
		return equal_objects(a, b);
	if (a->type == JSON_ARRAY)
		for (uint32_t i = 0; i < a->count; i++)
			if (!json_equal(a->items[i], b->items[i]))
				return false;
	return true;
}

static struct json *
make(struct mem *m, enum json_type type)
{
	struct json *v = mem_alloc(m, sizeof(*v));

	if (v != NULL)
		v->type = type;
	return v;
}

struct json *
json_null(struct mem *m)
{
	return make(m, JSON_NULL);
}

struct json *
json_bool(struct mem *m, bool b)
{
	return make(m, b ? JSON_TRUE : JSON_FALSE);
}

struct json *
json_integer(struct mem *m, int64_t n)
{
	struct json *v = make(m, JSON_INTEGER);

	if (v != NULL)
		v->integer = n;
	return v;
}

struct json *
json_number(struct mem *m, double n)
{
	struct json *v = make(m, JSON_NUMBER);

	if (v != NULL)
		v->number = n;
	return v;
}

struct json *
json_string(struct mem *m, const char *s, size_t len)
{
	struct json *v = make(m, JSON_STRING);
	char *copy = mem_strndup(m, s, len);

	if (v == NULL || copy == NULL)
		return NULL;
	v->string = copy;
	v->count = (uint32_t)len;
	return v;
}

struct json *
json_array(struct mem *m, uint32_t count)
{
	struct json *v = make(m, JSON_ARRAY);

	if (v == NULL)
		return NULL;
	v->count = count;
	v->items = mem_array(m, count, sizeof(*v->items));
	return v->items != NULL ? v : NULL;
}

struct json *
json_object(struct mem *m, uint32_t count)
{
	struct json *v = make(m, JSON_OBJECT);

	if (v == NULL)
		return NULL;
	v->count = count;
	v->members = mem_array(m, count, sizeof(*v->members));
	return v->members != NULL ? v : NULL;
}
