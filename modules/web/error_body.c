/* error_body.c - JSON:API error documents. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "dag/json.h"
#include "web/error_body.h"

static void
member(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, ",\"%s\":", name);
	json_write_string(b, value, strlen(value));
}

/* "dag_not_found" → "Dag not found" */
static void
title(struct buf *b, const char *code)
{
	char text[80];
	size_t i;

	snprintf(text, sizeof(text), "%s", code);
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] == '_')
			text[i] = ' ';
	text[0] = (char)toupper((unsigned char)text[0]);
	member(b, "title", text);
}

static void
source(struct buf *b, const struct error_object *o)
{
	char pointer[ERR_POINTER_MAX * 2];

	if (o->parameter != NULL) {
		buf_puts(b, ",\"source\":{\"parameter\":");
		json_write_string(b, o->parameter, strlen(o->parameter));
		buf_putc(b, '}');
	} else if (o->pointer != NULL) {
		snprintf(pointer, sizeof(pointer), "%s%s",
		    o->prefix == NULL ? "" : o->prefix, o->pointer);
		buf_puts(b, ",\"source\":{\"pointer\":");
		json_write_string(b, pointer, strlen(pointer));
		buf_putc(b, '}');
	}
}

void
error_body_begin(struct buf *b)
{
	buf_puts(b, "{\"errors\":[");
}

void
error_body_add(struct buf *b, int status, const struct error_object *o)
{
	if (b->len > 0 && b->data[b->len - 1] == '}')
		buf_putc(b, ',');
	buf_printf(b, "{\"status\":\"%d\"", status);
	member(b, "code", o->code);
	title(b, o->code);
	if (o->detail != NULL)
		member(b, "detail", o->detail);
	source(b, o);
	if (o->line != 0)
		buf_printf(b, ",\"meta\":{\"line\":%u,\"column\":%u}", o->line,
		    o->column);
	buf_putc(b, '}');
}

void
error_body_end(struct buf *b)
{
	buf_puts(b, "]}");
}

void
error_body_faults(struct buf *b, int status, const struct faults *faults,
    const char *pointer_prefix)
{
	struct error_object o;
	char more[100];
	size_t i;

	error_body_begin(b);
	for (i = 0; i < faults->kept; i++) {
		memset(&o, 0, sizeof(o));
		o.code = faults->list[i].code;
		o.detail = faults->list[i].message;
		o.prefix = pointer_prefix;
		o.pointer =
		    pointer_prefix == NULL && faults->list[i].pointer[0] == '\0'
			? NULL
			: faults->list[i].pointer;
		o.line = faults->list[i].line;
		o.column = faults->list[i].column;
		error_body_add(b, status, &o);
	}
	if (faults->count > faults->kept) {
		memset(&o, 0, sizeof(o));
		snprintf(more, sizeof(more), "%zu more faults are not shown.",
		    faults->count - faults->kept);
		o.code = "more_faults";
		o.detail = more;
		error_body_add(b, status, &o);
	}
	error_body_end(b);
}

void
error_body_graphql(struct buf *b, const struct error_object *o)
{
	const char *message = o->detail != NULL ? o->detail : o->code;

	buf_puts(b, "{\"errors\":[{\"message\":");
	json_write_string(b, message, strlen(message));
	buf_puts(b, ",\"extensions\":{\"code\":");
	json_write_string(b, o->code, strlen(o->code));
	buf_puts(b, "}}]}");
}
