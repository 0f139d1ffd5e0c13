/* print_types.c - type-system definitions and extensions as text. */
#include "graphql/print_parts.h"

static const char *const operation_names[] = {
    "query", "mutation", "subscription"};

static void
print_input(struct buf *b, const struct gql_input_definition *i, unsigned depth)
{
	gql_print_description(b, i->description, depth);
	gql_print_name(b, &i->name);
	buf_puts(b, ": ");
	gql_print_type(b, i->type);
	if (i->default_value != NULL) {
		buf_puts(b, " = ");
		gql_print_value(b, i->default_value);
	}
	gql_print_directives(b, i->directives);
}

/* On one line, or each on its own if one has a description. */
static void
print_argument_definitions(
    struct buf *b, const struct gql_input_definition *first, unsigned depth)
{
	const struct gql_input_definition *i;
	bool lines = false;

	if (first == NULL)
		return;
	for (i = first; i != NULL; i = i->next)
		lines = lines || i->description != NULL;
	buf_putc(b, '(');
	for (i = first; i != NULL; i = i->next) {
		if (lines) {
			buf_putc(b, '\n');
			gql_print_indent(b, depth + 1);
		}
		print_input(b, i, depth + 1);
		if (!lines && i->next != NULL)
			buf_puts(b, ", ");
	}
	if (lines) {
		buf_putc(b, '\n');
		gql_print_indent(b, depth);
	}
	buf_putc(b, ')');
}

static void
print_types(struct buf *b, const char *before, const struct gql_type_ref *type,
    const char *between)
{
	for (; type != NULL; type = type->next) {
		buf_puts(b, before);
		gql_print_type(b, type);
		before = between;
	}
}

static void
print_fields(struct buf *b, const struct gql_field_definition *f)
{
	if (f == NULL)
		return;
	buf_puts(b, " {\n");
	for (; f != NULL; f = f->next) {
		gql_print_indent(b, 1);
		gql_print_description(b, f->description, 1);
		gql_print_name(b, &f->name);
		print_argument_definitions(b, f->arguments, 1);
		buf_puts(b, ": ");
		gql_print_type(b, f->type);
		gql_print_directives(b, f->directives);
		buf_putc(b, '\n');
	}
	buf_putc(b, '}');
}

static void
print_inputs(struct buf *b, const struct gql_input_definition *i)
{
	if (i == NULL)
		return;
	buf_puts(b, " {\n");
	for (; i != NULL; i = i->next) {
		gql_print_indent(b, 1);
		print_input(b, i, 1);
		buf_putc(b, '\n');
	}
	buf_putc(b, '}');
}

static void
print_enum_values(struct buf *b, const struct gql_enum_value_definition *v)
{
	if (v == NULL)
		return;
	buf_puts(b, " {\n");
	for (; v != NULL; v = v->next) {
		gql_print_indent(b, 1);
		gql_print_description(b, v->description, 1);
		gql_print_name(b, &v->name);
		gql_print_directives(b, v->directives);
		buf_putc(b, '\n');
	}
	buf_putc(b, '}');
}

static void
print_operation_types(struct buf *b, const struct gql_operation_type *o)
{
	if (o == NULL)
		return;
	buf_puts(b, " {\n");
	for (; o != NULL; o = o->next) {
		gql_print_indent(b, 1);
		buf_puts(b, operation_names[o->operation]);
		buf_puts(b, ": ");
		gql_print_type(b, o->type);
		buf_putc(b, '\n');
	}
	buf_putc(b, '}');
}

static void
print_directive_definition(struct buf *b, const struct gql_definition *d)
{
	const char *separator = " on ";

	print_argument_definitions(b, d->inputs, 0);
	gql_print_directives(b, d->directives);
	if (d->repeatable)
		buf_puts(b, " repeatable");
	for (unsigned i = 0; i < GQL_DIRECTIVE_LOCATIONS; i++) {
		if ((d->locations >> i & 1) == 0)
			continue;
		buf_puts(b, separator);
		buf_puts(b, gql_directive_location_name(
				(enum gql_directive_location)i));
		separator = " | ";
	}
}

void
gql_print_type_system(struct buf *b, const struct gql_definition *d)
{
	static const char *const keywords[] = {
	    [GQL_DEF_SCHEMA] = "schema",
	    [GQL_DEF_SCALAR] = "scalar ",
	    [GQL_DEF_OBJECT] = "type ",
	    [GQL_DEF_INTERFACE] = "interface ",
	    [GQL_DEF_UNION] = "union ",
	    [GQL_DEF_ENUM] = "enum ",
	    [GQL_DEF_INPUT] = "input ",
	    [GQL_DEF_DIRECTIVE] = "directive @",
	};
	bool is_union = d->kind == GQL_DEF_UNION;

	if (d->extension)
		buf_puts(b, "extend ");
	buf_puts(b, keywords[d->kind]);
	gql_print_name(b, &d->name);
	if (d->kind == GQL_DEF_DIRECTIVE) {
		print_directive_definition(b, d);
		return;
	}
	if (!is_union)
		print_types(b, " implements ", d->types, " & ");
	gql_print_directives(b, d->directives);
	if (is_union)
		print_types(b, " = ", d->types, " | ");
	print_operation_types(b, d->operation_types);
	print_fields(b, d->fields);
	print_inputs(b, d->inputs);
	print_enum_values(b, d->values);
}
