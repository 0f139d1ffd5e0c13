/* compile.c - parts of statements from web's tables. */
#include "graphql/compile.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- text ----------------------------------------------------------------- */

void
text_put(struct text *t, const char *s, size_t len)
{
	if (t->len + len + 1 > t->room) {
		size_t room = (t->len + len + 1) * 2 + 64;
		char *data = mem_alloc(t->mem, room);

		if (data == NULL)
			return;
		if (t->len > 0)
			memcpy(data, t->data, t->len);
		t->data = data;
		t->room = room;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void
text_puts(struct text *t, const char *s)
{
	text_put(t, s, strlen(s));
}

void
text_putf(struct text *t, const char *fmt, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		t->mem->failed = true;
	else
		text_put(t, line, (size_t)len);
}

const char *
text_end(struct text *t)
{
	return t->data != NULL ? t->data : "";
}

int
compile_fail(struct compiler *c, struct gql_place at, const char *code,
    const char *fmt, ...)
{
	char message[GQL_MESSAGE_MAX];
	va_list args;

	if (c->failed)
		return -1;
	c->failed = true;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return gql_fail(c->e, code, at, "%s", message);
}

/* --- templates ------------------------------------------------------------ */

struct scope
scope_of(struct compiler *c, const struct graph *g)
{
	struct scope s = {.graph = g, .number = ++c->scopes};

	return s;
}

static bool
is_alias(const struct graph *g, const char *word, size_t len)
{
	const char *a = g->aliases;

	while (*a != '\0') {
		size_t n = strcspn(a, " ");

		if (n == len && memcmp(a, word, n) == 0)
			return true;
		a += n + strspn(a + n, " ");
	}
	return false;
}

static void
note_join(struct scope *s, const char *word, size_t len)
{
	const struct graph_join *j = s->graph->joins;

	for (unsigned i = 0; j != NULL && j[i].alias != NULL; i++)
		if (strlen(j[i].alias) == len &&
		    memcmp(j[i].alias, word, len) == 0)
			s->joins |= 1u << i;
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A word that is an alias gets the scope's number. */
static const char *
put_word(struct text *t, struct scope *s, const char *from, const char *p)
{
	const char *end = p;

	while (is_word(*end))
		end++;
	text_put(t, p, (size_t)(end - p));
	if ((p == from || p[-1] != '.') &&
	    is_alias(s->graph, p, (size_t)(end - p))) {
		text_putf(t, "%u", s->number);
		note_join(s, p, (size_t)(end - p));
	}
	return end;
}

/* @id, @owner; $5 in a column of sql/_NAME.sql is the owner too. */
static const char *
put_hole(struct text *t, struct compiler *c, struct scope *s, const char *p)
{
	const char *value = *p == '@' && p[1] == 'i' ? s->id : s->owner;
	const char *end = p + 1;

	while (is_word(*end))
		end++;
	if (value == NULL)
		compile_fail(c, (struct gql_place){0, 0}, "internal",
		    "%s is only reached through what it belongs to.",
		    s->graph->type);
	else
		text_puts(t, value);
	return end;
}

static const char *
put_quoted(struct text *t, const char *p)
{
	const char *end = p + 1 + strcspn(p + 1, "'");

	end += *end == '\'';
	text_put(t, p, (size_t)(end - p));
	return end;
}

void
compile_put(
    struct text *t, struct compiler *c, struct scope *s, const char *from_table)
{
	const char *p = from_table;

	while (*p != '\0') {
		if (*p == '\'')
			p = put_quoted(t, p);
		else if (*p == '@' ||
			 (*p == '$' && isdigit((unsigned char)p[1])))
			p = put_hole(t, c, s, p);
		else if (is_word(*p))
			p = put_word(t, s, from_table, p);
		else
			text_put(t, p++, 1);
	}
}

static const struct field *
guarded_field(const struct graph *g, int column)
{
	const struct field *f;

	for (f = g->resource->fields; f->name != NULL; f++)
		if (f->column == column && graph_field_guarded(g, f))
			return f;
	return NULL;
}

/* "d7": what the resource's rows are called. */
static const char *
alias_of(struct compiler *c, const struct scope *s)
{
	return mem_printf(c->mem, "%.*s%u",
	    (int)strcspn(s->graph->aliases, " "), s->graph->aliases, s->number);
}

void
compile_column(struct text *t, struct compiler *c, struct scope *s, int column)
{
	const struct field *f = guarded_field(s->graph, column);
	struct buf condition;

	text_puts(t, "(");
	if (f != NULL) {
		buf_create(&condition, 0);
		policy_field(&condition, s->graph->resource->type, f->name,
		    alias_of(c, s));
		text_puts(t, "case when ");
		text_put(t, condition.data != NULL ? condition.data : "",
		    condition.len);
		text_puts(t, " then ");
		if (buf_failed(&condition))
			c->mem->failed = true;
		buf_free(&condition);
	}
	compile_put(t, c, s, s->graph->columns[column]);
	text_puts(t, f != NULL ? " end)" : ")");
}

/* --- parameters ----------------------------------------------------------- */

void
compile_param(
    struct text *t, struct compiler *c, const struct plan_param *param)
{
	if (c->param_count == PLAN_PARAMS_MAX) {
		compile_fail(c, param->value.at, "query_too_costly",
		    "A field has more than %d values.", PLAN_PARAMS_MAX);
		return;
	}
	c->params[c->param_count++] = *param;
	text_putf(t, "$%u", c->param_count);
}

const char *
compile_cast(enum graph_scalar scalar)
{
	switch (scalar) {
	case GRAPH_STRING:
	case GRAPH_ENUM:
		break;
	case GRAPH_ID:
	case GRAPH_UUID:
		return "uuid";
	case GRAPH_INT:
		return "int8";
	case GRAPH_FLOAT:
	case GRAPH_DURATION:
		return "numeric";
	case GRAPH_BOOLEAN:
		return "boolean";
	case GRAPH_DATETIME:
		return "timestamptz";
	case GRAPH_JSON:
		return "jsonb";
	}
	return "text";
}

void
compile_visible(struct text *t, struct compiler *c, struct scope *s)
{
	struct buf condition;

	buf_create(&condition, 0);
	if (!policy_rows(&condition, s->graph->resource->type, alias_of(c, s)))
		buf_puts(&condition, "false");
	text_put(
	    t, condition.data != NULL ? condition.data : "", condition.len);
	if (buf_failed(&condition))
		c->mem->failed = true;
	buf_free(&condition);
	c->actions |= UINT64_C(1) << s->graph->action;
}

void
compile_from(struct text *t, struct compiler *c, struct scope *s)
{
	const struct graph_join *j = s->graph->joins;

	text_puts(t, " from ");
	compile_put(t, c, s, s->graph->from);
	for (unsigned i = 0; j != NULL && j[i].alias != NULL; i++) {
		if (!(s->joins >> i & 1))
			continue;
		text_puts(t, " ");
		compile_put(t, c, s, j[i].text);
	}
}

/* --- members -------------------------------------------------------------- */

#define GRAPHS_MAX 32

static struct {
	struct graph_member members[GRAPH_MEMBERS_MAX];
	unsigned count;
} * tables;

int
members_init(void)
{
	unsigned i;

	if (tables == NULL &&
	    (tables = calloc(GRAPHS_MAX, sizeof(*tables))) == NULL)
		return -1;
	for (i = 0; graph_table[i].resource != NULL; i++) {
		if (i == GRAPHS_MAX)
			return -1;
		tables[i].count =
		    graph_members(&graph_table[i], tables[i].members);
	}
	return 0;
}

void
members_free(void)
{
	free(tables);
	tables = NULL;
}

const struct graph_member *
members_of(const struct graph *g, unsigned *count)
{
	size_t i = (size_t)(g - graph_table);

	*count = tables[i].count;
	return tables[i].members;
}
