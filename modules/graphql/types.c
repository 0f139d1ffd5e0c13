/* types.c - questions about types and their members. */
#include "graphql/schema.h"

#include <stdio.h>
#include <string.h>

struct gql_type *
gql_schema_type(const struct gql_schema *schema, const char *name, size_t len)
{
	return gql_table_find(&schema->type_table, name, len);
}

const struct gql_directive_type *
gql_schema_directive(
    const struct gql_schema *schema, const char *name, size_t len)
{
	return gql_table_find(&schema->directive_table, name, len);
}

struct gql_field *
gql_type_field(const struct gql_type *type, const char *name, size_t len)
{
	if (type->kind != GQL_OBJECT && type->kind != GQL_INTERFACE)
		return NULL;
	return gql_table_find(&type->members, name, len);
}

const struct gql_field *
gql_schema_field(const struct gql_schema *schema, const struct gql_type *parent,
    const char *name, size_t len)
{
	if (len > 2 && name[0] == '_' && name[1] == '_') {
		if (gql_name_is(&schema->meta_typename.name, name, len))
			return &schema->meta_typename;
		if (parent != schema->roots[GQL_QUERY])
			return NULL;
		if (gql_name_is(&schema->meta_schema.name, name, len))
			return &schema->meta_schema;
		if (gql_name_is(&schema->meta_type.name, name, len))
			return &schema->meta_type;
		return NULL;
	}
	return gql_type_field(parent, name, len);
}

struct gql_input *
gql_type_input(const struct gql_type *type, const char *name, size_t len)
{
	return type->kind == GQL_INPUT_OBJECT
		   ? gql_table_find(&type->members, name, len)
		   : NULL;
}

struct gql_enum_value *
gql_type_value(const struct gql_type *type, const char *name, size_t len)
{
	return type->kind == GQL_ENUM
		   ? gql_table_find(&type->members, name, len)
		   : NULL;
}

struct gql_input *
gql_field_arg(const struct gql_field *field, const char *name, size_t len)
{
	return gql_table_find(&field->arg_table, name, len);
}

struct gql_input *
gql_directive_arg(
    const struct gql_directive_type *directive, const char *name, size_t len)
{
	return gql_table_find(&directive->arg_table, name, len);
}

bool
gql_input_required(const struct gql_input *input)
{
	return input->type != NULL && input->type->kind == GQL_NON_NULL &&
	       input->default_value == NULL;
}

static const struct gql_type *
wrap(struct mem *m, const struct gql_type *of, enum gql_kind kind)
{
	const struct gql_type *known;
	struct gql_type *type;

	if (of == NULL)
		return NULL;
	known = kind == GQL_LIST ? of->list : of->non_null;
	if (known != NULL)
		return known;
	type = mem_alloc(m, sizeof(*type));
	if (type == NULL)
		return NULL;
	type->kind = kind;
	type->of = of;
	return type;
}

const struct gql_type *
gql_schema_ref(const struct gql_schema *schema, struct mem *m,
    const struct gql_type_ref *ref)
{
	switch (ref->kind) {
	case GQL_REF_LIST:
		return wrap(m, gql_schema_ref(schema, m, ref->of), GQL_LIST);
	case GQL_REF_NON_NULL:
		return wrap(
		    m, gql_schema_ref(schema, m, ref->of), GQL_NON_NULL);
	case GQL_REF_NAMED:
	default:
		return gql_schema_type(schema, ref->name.s, ref->name.len);
	}
}

const struct gql_type *
gql_type_named(const struct gql_type *type)
{
	while (type != NULL && type->of != NULL)
		type = type->of;
	return type;
}

const struct gql_type *
gql_type_nullable(const struct gql_type *type)
{
	return type != NULL && type->kind == GQL_NON_NULL ? type->of : type;
}

bool
gql_type_is_composite(const struct gql_type *type)
{
	return type != NULL &&
	       (type->kind == GQL_OBJECT || type->kind == GQL_INTERFACE ||
		   type->kind == GQL_UNION);
}

bool
gql_type_is_abstract(const struct gql_type *type)
{
	return type != NULL &&
	       (type->kind == GQL_INTERFACE || type->kind == GQL_UNION);
}

bool
gql_type_is_leaf(const struct gql_type *type)
{
	return type != NULL &&
	       (type->kind == GQL_SCALAR || type->kind == GQL_ENUM);
}

bool
gql_type_is_input(const struct gql_type *type)
{
	type = gql_type_named(type);
	return gql_type_is_leaf(type) ||
	       (type != NULL && type->kind == GQL_INPUT_OBJECT);
}

bool
gql_type_is_output(const struct gql_type *type)
{
	type = gql_type_named(type);
	return gql_type_is_leaf(type) || gql_type_is_composite(type);
}

bool
gql_type_equal(const struct gql_type *a, const struct gql_type *b)
{
	while (a != b) {
		if (a == NULL || b == NULL || a->of == NULL ||
		    a->kind != b->kind)
			return false;
		a = a->of;
		b = b->of;
	}
	return true;
}

bool
gql_type_has_possible(
    const struct gql_type *type, const struct gql_type *object)
{
	return type->possible_bits != NULL &&
	       (type->possible_bits[object->id / 64] >> (object->id % 64) &
		   1) != 0;
}

bool
gql_types_overlap(const struct gql_schema *schema, const struct gql_type *a,
    const struct gql_type *b)
{
	if (a == b)
		return true;
	if (a->possible_bits == NULL || b->possible_bits == NULL)
		return false;
	for (uint32_t i = 0; i < schema->bit_words; i++) {
		if ((a->possible_bits[i] & b->possible_bits[i]) != 0)
			return true;
	}
	return false;
}

static bool
implements(const struct gql_type *type, const struct gql_type *interface)
{
	if (type->kind != GQL_OBJECT && type->kind != GQL_INTERFACE)
		return false;
	for (uint32_t i = 0; i < type->interface_count; i++) {
		if (type->interfaces[i] == interface)
			return true;
	}
	return false;
}

static bool
named_subtype(const struct gql_type *sub, const struct gql_type *super)
{
	if (super->kind == GQL_INTERFACE)
		return implements(sub, super);
	return super->kind == GQL_UNION && sub->kind == GQL_OBJECT &&
	       gql_type_has_possible(super, sub);
}

bool
gql_type_is_subtype(const struct gql_type *sub, const struct gql_type *super)
{
	while (sub != super) {
		if (sub == NULL || super == NULL)
			return false;
		if (super->kind == GQL_NON_NULL) {
			if (sub->kind != GQL_NON_NULL)
				return false;
			super = super->of;
			sub = sub->of;
		} else if (sub->kind == GQL_NON_NULL) {
			sub = sub->of;
		} else if (super->kind == GQL_LIST || sub->kind == GQL_LIST) {
			if (super->kind != sub->kind)
				return false;
			super = super->of;
			sub = sub->of;
		} else {
			return named_subtype(sub, super);
		}
	}
	return true;
}

const char *
gql_type_string(const struct gql_type *type, char *buffer, size_t size)
{
	const struct gql_type *named = gql_type_named(type);
	size_t n = 0;

	for (const struct gql_type *t = type; t != named && n + 1 < size;
	     t = t->of) {
		if (t->kind == GQL_LIST)
			buffer[n++] = '[';
	}
	for (uint32_t i = 0; i < named->name.len && n + 1 < size; i++)
		buffer[n++] = named->name.s[i];
	buffer[n] = '\0';
	/* What closes comes from the inside out. */
	for (uint32_t depth = 0;; depth++) {
		const struct gql_type *t = type;
		uint32_t wraps = 0;

		for (const struct gql_type *w = type; w != named; w = w->of)
			wraps++;
		if (depth >= wraps)
			break;
		for (uint32_t i = wraps - 1 - depth; i > 0; i--)
			t = t->of;
		if (n + 1 < size)
			buffer[n++] = t->kind == GQL_LIST ? ']' : '!';
		buffer[n] = '\0';
	}
	return buffer;
}
