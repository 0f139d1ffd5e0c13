/* print.c - documents and executable definitions as text. */
#include "graphql/print_parts.h"

static void print_set(
    struct buf *b, const struct gql_selection_set *set, unsigned depth);

static void
print_selection(struct buf *b, const struct gql_selection *s, unsigned depth)
{
	if (s->kind != GQL_FIELD)
		buf_puts(b, "...");
	if (s->alias.s != NULL) {
		gql_print_name(b, &s->alias);
		buf_puts(b, ": ");
	}
	gql_print_name(b, &s->name);
	if (s->condition != NULL) {
		buf_puts(b, " on ");
		gql_print_type(b, s->condition);
	}
	gql_print_arguments(b, s->arguments);
	gql_print_directives(b, s->directives);
	if (s->set != NULL) {
		buf_putc(b, ' ');
		print_set(b, s->set, depth);
	}
}

static void
print_set(struct buf *b, const struct gql_selection_set *set, unsigned depth)
{
	buf_puts(b, "{\n");
	for (const struct gql_selection *s = set->first; s != NULL;
	     s = s->next) {
		gql_print_indent(b, depth + 1);
		print_selection(b, s, depth + 1);
		buf_putc(b, '\n');
	}
	gql_print_indent(b, depth);
	buf_putc(b, '}');
}

/* On one line, or each on its own if one has a description. */
static void
print_variables(struct buf *b, const struct gql_variable_definition *first)
{
	const struct gql_variable_definition *v;
	bool lines = false;

	if (first == NULL)
		return;
	for (v = first; v != NULL; v = v->next)
		lines = lines || v->description != NULL;
	buf_puts(b, lines ? "(\n  " : "(");
	for (v = first; v != NULL; v = v->next) {
		gql_print_description(b, v->description, 1);
		buf_putc(b, '$');
		gql_print_name(b, &v->name);
		buf_puts(b, ": ");
		gql_print_type(b, v->type);
		if (v->default_value != NULL) {
			buf_puts(b, " = ");
			gql_print_value(b, v->default_value);
		}
		gql_print_directives(b, v->directives);
		if (v->next != NULL)
			buf_puts(b, lines ? "\n  " : ", ");
	}
	buf_puts(b, lines ? "\n)" : ")");
}

static void
print_operation(struct buf *b, const struct gql_definition *d)
{
	static const char *const names[] = {
	    "query", "mutation", "subscription"};
	bool bare = d->operation == GQL_QUERY && d->name.s == NULL &&
		    d->variables == NULL && d->directives == NULL &&
		    d->description == NULL;

	if (!bare) {
		buf_puts(b, names[d->operation]);
		if (d->name.s != NULL || d->variables != NULL)
			buf_putc(b, ' ');
		gql_print_name(b, &d->name);
		print_variables(b, d->variables);
		gql_print_directives(b, d->directives);
		buf_putc(b, ' ');
	}
	print_set(b, d->set, 0);
}

static void
print_fragment(struct buf *b, const struct gql_definition *d)
{
	buf_puts(b, "fragment ");
	gql_print_name(b, &d->name);
	buf_puts(b, " on ");
	gql_print_type(b, d->condition);
	gql_print_directives(b, d->directives);
	buf_putc(b, ' ');
	print_set(b, d->set, 0);
}

void
gql_print_definition(struct buf *b, const struct gql_definition *d)
{
	gql_print_description(b, d->description, 0);
	if (d->kind == GQL_DEF_OPERATION)
		print_operation(b, d);
	else if (d->kind == GQL_DEF_FRAGMENT)
		print_fragment(b, d);
	else
		gql_print_type_system(b, d);
}

void
gql_print(struct buf *b, const struct gql_document *document)
{
	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		gql_print_definition(b, d);
		buf_puts(b, d->next != NULL ? "\n\n" : "\n");
	}
}
