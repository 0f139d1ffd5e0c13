/* op_reference.c - declarations of ops, written for programs and for people. */
#include "exec/op_reference.h"

#include <string.h>

#include "base/clock.h"

static const struct {
	unsigned type;
	const char *name, *words;
} types[] = {
    {PARAM_STRING, "string", "text"},
    {PARAM_LUA, "lua", "Lua script"},
    {PARAM_DURATION, "duration", "duration"},
    {PARAM_INTEGER, "integer", "integer"},
    {PARAM_NUMBER, "number", "number"},
    {PARAM_BOOLEAN, "boolean", "true or false"},
    {PARAM_ARRAY, "array", "list"},
    {PARAM_OBJECT, "object", "object"},
    {PARAM_ANY, "any", "any value"},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static void
put_text(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, "\"%s\":", name);
	if (text == NULL)
		buf_puts(b, "null");
	else
		json_write_string(b, text, strlen(text));
}

static bool
bounded(const struct op_param *p)
{
	return p->min != 0 || p->max != 0;
}

static void
put_bound(struct buf *b, const char *name, const struct op_param *p, int64_t n)
{
	if (bounded(p))
		buf_printf(b, ",\"%s\":%lld", name, (long long)n);
	else
		buf_printf(b, ",\"%s\":null", name);
}

static void
param_json(struct buf *b, const struct op_param *p)
{
	bool first = true;

	buf_putc(b, '{');
	put_text(b, "name", p->name);
	buf_puts(b, ",\"types\":[");
	for (size_t i = 0; i < TYPES; i++) {
		if ((p->types & types[i].type) == 0)
			continue;
		buf_printf(b, "%s\"%s\"", first ? "" : ",", types[i].name);
		first = false;
	}
	buf_printf(b, "],\"required\":%s", p->required ? "true" : "false");
	put_bound(b, "minimum", p, p->min);
	put_bound(b, "maximum", p, p->max);
	buf_putc(b, ',');
	put_text(b, "description", p->description);
	buf_putc(b, '}');
}

void
op_reference_json(struct buf *b, const struct op_schema *op)
{
	const struct op_param *p = op->params;

	buf_putc(b, '{');
	put_text(b, "description", op->description);
	buf_putc(b, ',');
	put_text(b, "permission", op->permission);
	buf_puts(b, ",\"parameters\":[");
	for (; p != NULL && p->name != NULL; p++) {
		if (p != op->params)
			buf_putc(b, ',');
		param_json(b, p);
	}
	buf_puts(b, "]}");
}

/* --- Markdown ------------------------------------------------------------- */

/* In a cell of a table: | ends it. */
static void
put_cell(struct buf *b, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			buf_putc(b, '\\');
		buf_putc(b, *text);
	}
}

static void
put_duration(struct buf *b, int64_t ns)
{
	char text[DURATION_TEXT];

	duration_format(ns, text, sizeof(text));
	buf_puts(b, text);
}

static void
put_range(struct buf *b, const struct op_param *p)
{
	if (!bounded(p))
		return;
	if ((p->types & PARAM_DURATION) != 0) {
		buf_puts(b, ", ");
		/* less than a millisecond is no bound worth telling */
		if (p->min < 1000000) {
			buf_puts(b, "at most ");
		} else {
			put_duration(b, p->min);
			buf_puts(b, " to ");
		}
		put_duration(b, p->max);
	} else if ((p->types & (PARAM_INTEGER | PARAM_NUMBER)) != 0) {
		buf_printf(
		    b, ", %lld–%lld", (long long)p->min, (long long)p->max);
	} else {
		buf_printf(b, ", length %lld–%lld", (long long)p->min,
		    (long long)p->max);
	}
}

static void
param_row(struct buf *b, const struct op_param *p)
{
	bool first = true;

	buf_printf(b, "| `%s`%s | ", p->name, p->required ? " (required)" : "");
	for (size_t i = 0; i < TYPES; i++) {
		if ((p->types & types[i].type) == 0)
			continue;
		buf_printf(b, "%s%s", first ? "" : " or ", types[i].words);
		first = false;
	}
	put_range(b, p);
	buf_puts(b, " | ");
	put_cell(b, p->description);
	buf_puts(b, " |\n");
}

void
op_reference_markdown(struct buf *b, const struct op_schema *op)
{
	const struct op_param *p = op->params;

	buf_printf(b, "## `%s`\n\n%s\n", op->name, op->description);
	if (op->permission != NULL)
		buf_printf(b,
		    "Only where the organization's setting `%s` is true.\n",
		    op->permission);
	if (p == NULL || p->name == NULL)
		return;
	buf_puts(b, "\n| parameter | type | |\n|---|---|---|\n");
	for (; p->name != NULL; p++)
		param_row(b, p);
}
