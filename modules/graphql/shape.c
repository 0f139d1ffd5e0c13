/* shape.c - FNV-1a of what decides. */
#include "graphql/shape.h"

#include <string.h>

#define PRIME UINT64_C(1099511628211)

static uint64_t
mix(uint64_t h, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++, n >>= 8)
		h = (h ^ (n & 255)) * PRIME;
	return h;
}

static uint64_t
mix_text(uint64_t h, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * PRIME;
	return mix(h, len);
}

static uint64_t mix_value(
    uint64_t, const struct gql_type *, const struct json *);

static uint64_t
mix_object(uint64_t h, const struct gql_type *type, const struct json *v)
{
	h = mix(h, v->count);
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json_member *m = &v->members[i];
		const struct gql_input *input =
		    gql_type_input(type, m->name, m->name_len);

		h = mix_text(h, m->name, m->name_len);
		if (input != NULL)
			h = mix_value(h, input->type, m->value);
	}
	return h;
}

/* Of scalars, a list is one parameter, whatever its length. */
static uint64_t
mix_list(uint64_t h, const struct gql_type *of, const struct json *v)
{
	const struct gql_type *named = gql_type_named(of);

	if (v->type != JSON_ARRAY)
		return mix_value(h, of, v);
	if (named == NULL || named->kind != GQL_INPUT_OBJECT)
		return mix(h, JSON_ARRAY);
	h = mix(h, v->count);
	for (uint32_t i = 0; i < v->count; i++)
		h = mix_value(h, of, v->items[i]);
	return h;
}

static uint64_t
mix_value(uint64_t h, const struct gql_type *type, const struct json *v)
{
	type = gql_type_nullable(type);
	if (v == NULL)
		return mix(h, 1000);
	if (type == NULL || v->type == JSON_NULL)
		return mix(h, v->type);
	if (type->kind == GQL_LIST)
		return mix_list(h, type->of, v);
	if (type->kind == GQL_INPUT_OBJECT && v->type == JSON_OBJECT)
		return mix_object(h, type, v);
	if (type->kind == GQL_ENUM && v->type == JSON_STRING)
		return mix_text(h, v->string, v->count);
	if (type->scalar == GQL_SCALAR_BOOLEAN)
		return mix(h, v->type);
	return mix(h, 2000);
}

uint64_t
shape_of(const struct gql_schema *schema,
    const struct gql_definition *operation, const struct json *variables)
{
	const struct gql_variable_definition *d;
	uint64_t h = UINT64_C(14695981039346656037);
	struct mem m;

	mem_create(&m, 0);
	h = mix(h, operation->at.line);
	h = mix(h, operation->at.column);
	for (d = operation->variables; d != NULL; d = d->next) {
		const struct gql_type *type =
		    gql_schema_ref(schema, &m, d->type);
		const struct json *v = NULL;

		for (uint32_t i = 0; variables != NULL && i < variables->count;
		     i++)
			if (gql_name_is(&d->name, variables->members[i].name,
				variables->members[i].name_len))
				v = variables->members[i].value;
		h = mix_value(h, type, v);
	}
	mem_destroy(&m);
	return h;
}
