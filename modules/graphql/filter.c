/* filter.c - conditions from filters: operators of scalars, and, or, not, and
 * filters of what is related.
 *
 * eq and notEq, in and notIn are each other's opposite, also for what has no
 * value; not is true of what is not true.
 */
#include <string.h>

#include "graphql/compile.h"

#define ITEMS_MAX 100 /* of and, or */

enum shape {
	COMPARE,  /* COLUMN text $ */
	DISTINCT, /* eq, notEq of null: is [not] null */
	LIST,
	IS_NIL,
	CONTAINS
};

static const struct {
	const char *name;
	enum shape shape;
	const char *sql, *null_sql;
} operators[] = {
    {"eq", DISTINCT, " = ", " is null"},
    {"notEq", DISTINCT, " is distinct from ", " is not null"},
    {"in", LIST, "", NULL},
    {"notIn", LIST, "not ", NULL},
    {"lt", COMPARE, " < ", NULL},
    {"lte", COMPARE, " <= ", NULL},
    {"gt", COMPARE, " > ", NULL},
    {"gte", COMPARE, " >= ", NULL},
    {"isNil", IS_NIL, NULL, NULL},
    {"like", COMPARE, " like ", NULL},
    {"ilike", COMPARE, " ilike ", NULL},
    {"contains", CONTAINS, NULL, NULL},
};

static void
put_value(struct text *t, struct compiler *c, const struct graph_member *m,
    const struct plan_input *value, bool list)
{
	struct plan_param param = {
	    .kind = list ? PARAM_LIST : PARAM_VALUE,
	    .scalar = m->scalar,
	    .value = *value,
	};

	compile_param(t, c, &param);
	text_puts(t, "::");
	text_puts(t, compile_cast(m->scalar));
	if (list)
		text_puts(t, "[]");
}

static void
put_operator(struct text *t, struct compiler *c, struct scope *s,
    const struct graph_member *m, size_t op, const struct plan_input *value)
{
	bool yes;

	if (!input_present(value)) {
		if (operators[op].null_sql == NULL) {
			text_puts(t, "false");
			return;
		}
		compile_column(t, c, s, m->column);
		text_puts(t, operators[op].null_sql);
		return;
	}
	switch (operators[op].shape) {
	case COMPARE:
	case DISTINCT:
		compile_column(t, c, s, m->column);
		text_puts(t, operators[op].sql);
		put_value(t, c, m, value, false);
		break;
	case LIST:
		text_puts(t, operators[op].sql);
		text_puts(t, "coalesce(");
		compile_column(t, c, s, m->column);
		text_puts(t, " = any(");
		put_value(t, c, m, value, true);
		text_puts(t, "), false)");
		break;
	case IS_NIL:
		compile_column(t, c, s, m->column);
		text_puts(t, input_boolean(value, &yes) && yes
				 ? " is null"
				 : " is not null");
		break;
	case CONTAINS:
		text_puts(t, "strpos(");
		compile_column(t, c, s, m->column);
		text_puts(t, ", ");
		put_value(t, c, m, value, false);
		text_puts(t, ") > 0");
		break;
	}
}

static void
and_next(struct text *t, bool *first)
{
	text_puts(t, *first ? "(" : " and ");
	*first = false;
}

static void
all_end(struct text *t, bool none)
{
	text_puts(t, none ? "true" : ")");
}

static void
put_scalar(struct text *t, struct compiler *c, struct scope *s,
    const struct graph_member *m, const struct plan_input *in)
{
	struct input_member given;
	bool first = true;
	size_t op, count = sizeof(operators) / sizeof(operators[0]);

	for (unsigned i = 0; input_member(c->mem, c->variables, in, i, &given);
	     i++) {
		if (!input_given(&given.value))
			continue;
		for (op = 0; op < count; op++)
			if (strlen(operators[op].name) == given.len &&
			    memcmp(operators[op].name, given.name, given.len) ==
				0)
				break;
		if (op == count)
			continue;
		and_next(t, &first);
		put_operator(t, c, s, m, op, &given.value);
	}
	all_end(t, first);
}

/* One object at the other end, or one of several. */
static void
put_related(struct text *t, struct compiler *c, struct scope *s,
    const struct graph_member *m, const struct plan_input *in)
{
	struct scope other = scope_of(c, m->target);
	struct text end = {.mem = c->mem}, condition = {.mem = c->mem};

	compile_column(&end, c, s, m->kind == GRAPH_ONE ? m->column : 0);
	if (m->kind == GRAPH_ONE) {
		other.id = text_end(&end);
		compile_put(&condition, c, &other, m->target->by_id);
	} else {
		other.owner = text_end(&end);
		compile_column(&condition, c, &other, m->inverse);
		text_putf(&condition, " = ");
		text_puts(&condition, text_end(&end));
	}
	text_puts(&condition, " and ");
	compile_visible(&condition, c, &other);
	text_puts(&condition, " and ");
	filter_put(&condition, c, &other, in);
	text_puts(t, "exists (select");
	compile_from(t, c, &other);
	text_puts(t, " where ");
	text_puts(t, text_end(&condition));
	text_puts(t, ")");
}

static void
put_items(struct text *t, struct compiler *c, struct scope *s,
    const struct plan_input *in, const char *between)
{
	unsigned count = input_item_count(in);

	if (count > ITEMS_MAX)
		compile_fail(c, in->at, "query_too_costly",
		    "At most %d filters may be joined.", ITEMS_MAX);
	text_puts(t, "(");
	for (unsigned i = 0; i < count && !c->failed; i++) {
		struct plan_input item =
		    input_item(c->mem, c->variables, in, i);

		if (i > 0)
			text_puts(t, between);
		filter_put(t, c, s, &item);
	}
	text_puts(t, count == 0 ? "true)" : ")");
}

static const struct graph_member *
find(const struct graph *g, const char *name, size_t len)
{
	unsigned count;
	const struct graph_member *m = members_of(g, &count);

	for (; count > 0; count--, m++)
		if (m->filterable && strlen(m->name) == len &&
		    memcmp(m->name, name, len) == 0)
			return m;
	return NULL;
}

static bool
named(const struct input_member *given, const char *name)
{
	return given->len == strlen(name) &&
	       memcmp(given->name, name, given->len) == 0;
}

static void
put_member(struct text *t, struct compiler *c, struct scope *s,
    const struct input_member *given)
{
	const struct graph_member *m;

	if (named(given, "and")) {
		put_items(t, c, s, &given->value, " and ");
	} else if (named(given, "or")) {
		put_items(t, c, s, &given->value, " or ");
	} else if (named(given, "not")) {
		text_puts(t, "((");
		filter_put(t, c, s, &given->value);
		text_puts(t, ") is not true)");
	} else if ((m = find(s->graph, given->name, given->len)) == NULL) {
		compile_fail(c, given->value.at, "invalid_argument",
		    "There is no such filter.");
	} else if (m->kind == GRAPH_FIELD) {
		put_scalar(t, c, s, m, &given->value);
	} else {
		put_related(t, c, s, m, &given->value);
	}
}

void
filter_put(struct text *t, struct compiler *c, struct scope *s,
    const struct plan_input *in)
{
	struct input_member given;
	bool first = true;

	for (unsigned i = 0;
	     !c->failed && input_member(c->mem, c->variables, in, i, &given);
	     i++) {
		if (!input_present(&given.value))
			continue;
		and_next(t, &first);
		put_member(t, c, s, &given);
	}
	all_end(t, first);
}
