/* print_values.c - values, strings above all, and what has values in it. */
#include "graphql/print_parts.h"

#include <string.h>

void
gql_print_name(struct buf *b, const struct gql_name *name)
{
	buf_put(b, name->s, name->len);
}

void
gql_print_indent(struct buf *b, unsigned depth)
{
	while (depth-- > 0)
		buf_puts(b, "  ");
}

/* Strings ----------------------------------------------------------------- */

static void
print_string(struct buf *b, const char *s, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";

	buf_putc(b, '"');
	for (size_t i = 0; i < len; i++) {
		const char *p = memchr(from, s[i], sizeof(from) - 1);

		if (p != NULL)
			buf_printf(b, "\\%c", to[p - from]);
		else if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			buf_printf(b, "\\u%04X", (unsigned)s[i]);
		else
			buf_putc(b, s[i]);
	}
	buf_putc(b, '"');
}

struct line {
	const char *s;
	size_t len, indent;
	bool blank;
};

/* The first line of s; false: there is none (s is NULL). Moves s to the next
 * one. */
static bool
next_line(const char **s, const char *end, struct line *line)
{
	const char *feed;

	if (*s == NULL)
		return false;
	feed = memchr(*s, '\n', (size_t)(end - *s));
	line->s = *s;
	line->len = (size_t)((feed != NULL ? feed : end) - *s);
	line->indent = 0;
	while (line->indent < line->len &&
	       (line->s[line->indent] == ' ' || line->s[line->indent] == '\t'))
		line->indent++;
	line->blank = line->indent == line->len;
	*s = feed != NULL ? feed + 1 : NULL;
	return true;
}

/* Would a block give this value back? Not if it begins or ends with an empty
 * line, if all its lines are indented, or if it holds what only escapes can
 * say. */
static bool
fits_block(const char *s, size_t len)
{
	const char *end = s + len;
	size_t indent = SIZE_MAX;
	bool first = true;
	struct line line = {.blank = true};

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 && s[i] != '\n' && s[i] != '\t')
			return false;
	}
	while (next_line(&s, end, &line)) {
		if (first && line.blank)
			return false;
		first = false;
		if (!line.blank && line.indent < indent)
			indent = line.indent;
	}
	return !line.blank && indent == 0;
}

static void
print_block_line(struct buf *b, const struct line *line)
{
	for (size_t i = 0; i < line->len; i++) {
		if (line->len - i >= 3 &&
		    memcmp(line->s + i, "\"\"\"", 3) == 0) {
			buf_puts(b, "\\\"\"\"");
			i += 2;
		} else {
			buf_putc(b, line->s[i]);
		}
	}
}

static void
print_block(struct buf *b, const struct gql_value *v, unsigned depth)
{
	const char *s = v->text, *end = s + v->len;
	struct line line;

	buf_puts(b, "\"\"\"\n");
	while (next_line(&s, end, &line)) {
		if (line.len > 0)
			gql_print_indent(b, depth);
		print_block_line(b, &line);
		buf_putc(b, '\n');
	}
	gql_print_indent(b, depth);
	buf_puts(b, "\"\"\"");
}

void
gql_print_description(
    struct buf *b, const struct gql_value *description, unsigned depth)
{
	if (description == NULL)
		return;
	if (description->kind == GQL_VALUE_BLOCK_STRING &&
	    fits_block(description->text, description->len))
		print_block(b, description, depth);
	else
		gql_print_value(b, description);
	buf_putc(b, '\n');
	gql_print_indent(b, depth);
}

/* Values ------------------------------------------------------------------ */

static void
print_list(struct buf *b, const struct gql_value *v)
{
	buf_putc(b, '[');
	for (const struct gql_value *i = v->items; i != NULL; i = i->next) {
		gql_print_value(b, i);
		if (i->next != NULL)
			buf_puts(b, ", ");
	}
	buf_putc(b, ']');
}

static void
print_object(struct buf *b, const struct gql_value *v)
{
	const char *separator = "{ ";

	for (const struct gql_object_field *f = v->fields; f != NULL;
	     f = f->next) {
		buf_puts(b, separator);
		gql_print_name(b, &f->name);
		buf_puts(b, ": ");
		gql_print_value(b, f->value);
		separator = ", ";
	}
	buf_puts(b, v->fields != NULL ? " }" : "{}");
}

void
gql_print_value(struct buf *b, const struct gql_value *v)
{
	switch (v->kind) {
	case GQL_VALUE_VARIABLE:
		buf_putc(b, '$');
		buf_put(b, v->text, v->len);
		break;
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
	case GQL_VALUE_ENUM:
		buf_put(b, v->text, v->len);
		break;
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
		print_string(b, v->text, v->len);
		break;
	case GQL_VALUE_BOOLEAN:
		buf_puts(b, v->boolean ? "true" : "false");
		break;
	case GQL_VALUE_NULL:
		buf_puts(b, "null");
		break;
	case GQL_VALUE_LIST:
		print_list(b, v);
		break;
	case GQL_VALUE_OBJECT:
		print_object(b, v);
		break;
	}
}

/* What has values --------------------------------------------------------- */

void
gql_print_arguments(struct buf *b, const struct gql_argument *a)
{
	const char *separator = "(";

	for (; a != NULL; a = a->next) {
		buf_puts(b, separator);
		gql_print_name(b, &a->name);
		buf_puts(b, ": ");
		gql_print_value(b, a->value);
		separator = ", ";
		if (a->next == NULL)
			buf_putc(b, ')');
	}
}

void
gql_print_directives(struct buf *b, const struct gql_directive *d)
{
	for (; d != NULL; d = d->next) {
		buf_puts(b, " @");
		gql_print_name(b, &d->name);
		gql_print_arguments(b, d->arguments);
	}
}

void
gql_print_type(struct buf *b, const struct gql_type_ref *type)
{
	switch (type->kind) {
	case GQL_REF_NAMED:
		gql_print_name(b, &type->name);
		break;
	case GQL_REF_LIST:
		buf_putc(b, '[');
		gql_print_type(b, type->of);
		buf_putc(b, ']');
		break;
	case GQL_REF_NON_NULL:
		gql_print_type(b, type->of);
		buf_putc(b, '!');
		break;
	}
}
