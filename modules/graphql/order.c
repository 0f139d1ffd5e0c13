/* order.c - the order of a list, and what stands behind a cursor in it.
 *
 * An order ends in a key that is unique and never null, so a cursor is a place
 * between two rows whatever is inserted meanwhile. Where all keys go the same
 * way and none can be null, the place is a comparison of rows, which an index
 * answers; else it is written out, key by key.
 */
#include <string.h>

#include "graphql/compile.h"

static enum field_type
type_of(enum graph_scalar scalar)
{
	switch (scalar) {
	case GRAPH_ID:
	case GRAPH_UUID:
		return FIELD_UUID;
	case GRAPH_INT:
		return FIELD_INTEGER;
	case GRAPH_FLOAT:
	case GRAPH_DURATION:
		return FIELD_NUMBER;
	case GRAPH_BOOLEAN:
		return FIELD_BOOLEAN;
	case GRAPH_DATETIME:
		return FIELD_TIME;
	case GRAPH_STRING:
	case GRAPH_ENUM:
	case GRAPH_JSON:
		break;
	}
	return FIELD_TEXT;
}

static void
add_tie(struct compiler *c, struct scope *s, bool descending,
    struct order_key *keys, struct plan_page *page)
{
	const struct graph *g = s->graph;
	struct order_key *key = &keys[page->key_count++];
	struct text t = {.mem = c->mem};

	compile_put(&t, c, s, g->tie);
	*key = (struct order_key){.expression = text_end(&t),
	    .descending = descending,
	    .not_null = true,
	    .type = {
		g->tie_type, g->tie_type == FIELD_UUID ? "uuid" : "int8", -1}};
}

/* True: it is the tie, and nothing need follow. */
static bool
add_key(struct compiler *c, struct scope *s, const struct graph_member *m,
    bool descending, bool nulls_first, struct order_key *keys,
    struct plan_page *page)
{
	struct order_key *key;
	struct text t = {.mem = c->mem};

	if (m->by_id || (m->column == 0 && s->graph->tie_type == FIELD_UUID)) {
		add_tie(c, s, descending, keys, page);
		return true;
	}
	key = &keys[page->key_count++];
	compile_column(&t, c, s, m->column);
	*key = (struct order_key){.expression = text_end(&t),
	    .descending = descending,
	    .nulls_first = nulls_first,
	    .not_null = m->not_null,
	    .type = {type_of(m->scalar), compile_cast(m->scalar), -1}};
	return false;
}

static const struct graph_member *
find(const struct graph *g, const char *name, size_t len)
{
	unsigned count;
	const struct graph_member *m = members_of(g, &count);
	char capitals[GRAPH_NAME_MAX];

	for (; count > 0; count--, m++) {
		graph_capitals(m->name, capitals);
		if (m->sortable && strlen(capitals) == len &&
		    memcmp(capitals, name, len) == 0)
			return m;
	}
	return NULL;
}

/* "-inserted_at" of the resource. */
static bool
add_default(struct compiler *c, struct scope *s, struct order_key *keys,
    struct plan_page *page)
{
	const char *sort = s->graph->resource->sort;
	bool descending = *sort == '-';
	char camel[GRAPH_NAME_MAX], capitals[GRAPH_NAME_MAX];
	const struct graph_member *m;

	graph_camel(sort + descending, camel);
	graph_capitals(camel, capitals);
	m = find(s->graph, capitals, strlen(capitals));
	return m != NULL &&
	       add_key(c, s, m, descending, descending, keys, page);
}

static bool
add_given(struct compiler *c, struct scope *s, const struct plan_input *in,
    struct order_key *keys, struct plan_page *page)
{
	struct plan_input field =
	    input_field(c->mem, c->variables, in, "field");
	struct plan_input order =
	    input_field(c->mem, c->variables, in, "order");
	size_t len, order_len;
	const char *name = input_text(c->mem, &field, &len);
	const char *direction = input_text(c->mem, &order, &order_len);
	const struct graph_member *m =
	    name == NULL ? NULL : find(s->graph, name, len);
	bool descending, nulls_first;

	if (m == NULL) {
		compile_fail(
		    c, in->at, "invalid_argument", "There is no such order.");
		return true;
	}
	descending = direction != NULL && strncmp(direction, "DESC", 4) == 0;
	nulls_first = descending;
	if (direction != NULL && strstr(direction, "NULLS_") != NULL)
		nulls_first = strstr(direction, "FIRST") != NULL;
	return add_key(c, s, m, descending, nulls_first, keys, page);
}

static uint32_t
hash_order(const struct order_key *keys, const struct plan_page *page)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (unsigned i = 0; i < page->key_count; i++) {
		const char *p = keys[i].expression;

		for (; *p != '\0'; p++) {
			/* Not the number of an alias. */
			if (p > keys[i].expression && *p >= '0' && *p <= '9')
				continue;
			h = (h ^ (unsigned char)*p) * 16777619u;
		}
		h = (h ^ (keys[i].descending * 2u + keys[i].nulls_first)) *
		    16777619u;
	}
	return h;
}

void
order_make(struct compiler *c, struct scope *s, const struct plan_input *sort,
    struct order_key *keys, struct plan_page *page)
{
	unsigned count = input_item_count(sort);
	bool unique = false;

	if (count >= PLAN_KEYS_MAX) {
		compile_fail(c, sort->at, "invalid_argument",
		    "A list is sorted by at most %d fields.",
		    PLAN_KEYS_MAX - 1);
		return;
	}
	page->key_count = 0;
	for (unsigned i = 0; i < count && !unique && !c->failed; i++) {
		struct plan_input item =
		    input_item(c->mem, c->variables, sort, i);

		unique = add_given(c, s, &item, keys, page);
	}
	if (count == 0)
		unique = add_default(c, s, keys, page);
	if (!unique && !c->failed)
		add_tie(c, s,
		    page->key_count > 0 && keys[page->key_count - 1].descending,
		    keys, page);
	for (unsigned i = 0; i < page->key_count; i++)
		page->keys[i] = keys[i].type;
	page->order = hash_order(keys, page);
}

void
order_put(
    struct text *t, const struct order_key *keys, const struct plan_page *page)
{
	for (unsigned i = 0; i < page->key_count; i++) {
		if (i > 0)
			text_puts(t, ", ");
		text_puts(t, keys[i].expression);
		text_puts(t, keys[i].descending ? " desc" : "");
		if (!keys[i].not_null &&
		    keys[i].nulls_first != keys[i].descending)
			text_puts(t, keys[i].nulls_first ? " nulls first"
							 : " nulls last");
	}
}

/* --- after a cursor ------------------------------------------------------- */

static bool
is_simple(const struct order_key *keys, const struct plan_page *page)
{
	for (unsigned i = 0; i < page->key_count; i++)
		if (!keys[i].not_null ||
		    keys[i].descending != keys[0].descending)
			return false;
	return true;
}

static void
put_behind(struct text *t, const struct order_key *key, const char *value)
{
	const char *op = key->descending ? " < " : " > ";

	if (!key->not_null) {
		text_puts(t, "case when ");
		text_puts(t, value);
		text_puts(t, " is null then ");
		if (key->nulls_first) {
			text_puts(t, key->expression);
			text_puts(t, " is not null");
		} else {
			text_puts(t, "false");
		}
		text_puts(t, " else ");
	}
	text_puts(t, key->expression);
	text_puts(t, op);
	text_puts(t, value);
	if (!key->not_null) {
		if (!key->nulls_first) {
			text_puts(t, " or ");
			text_puts(t, key->expression);
			text_puts(t, " is null");
		}
		text_puts(t, " end");
	}
}

static void
put_simple(struct text *t, const struct order_key *keys,
    const char *const *values, unsigned count)
{
	text_puts(t, "(");
	for (unsigned i = 0; i < count; i++) {
		text_puts(t, i > 0 ? ", " : "");
		text_puts(t, keys[i].expression);
	}
	text_puts(t, keys[0].descending ? ") < (" : ") > (");
	for (unsigned i = 0; i < count; i++) {
		text_puts(t, i > 0 ? ", " : "");
		text_puts(t, values[i]);
	}
	text_puts(t, ")");
}

/* (a > $1 or a = $1 and (b > $2 or b = $2 and (…))) */
static void
put_general(struct text *t, const struct order_key *keys,
    const char *const *values, unsigned count)
{
	text_puts(t, "(");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0) {
			text_puts(t, " or ");
			text_puts(t, keys[i - 1].expression);
			text_puts(t, keys[i - 1].not_null
					 ? " = "
					 : " is not distinct from ");
			text_puts(t, values[i - 1]);
			text_puts(t, " and (");
		}
		put_behind(t, &keys[i], values[i]);
	}
	for (unsigned i = 0; i < count; i++)
		text_puts(t, ")");
}

void
order_after(struct text *t, struct compiler *c, const struct order_key *keys,
    const struct plan_page *page)
{
	const char *values[PLAN_KEYS_MAX];

	for (unsigned i = 0; i < page->key_count; i++) {
		struct plan_param param = {.kind = PARAM_CURSOR,
		    .page = page,
		    .key = i,
		    .value = page->after};
		struct text value = {.mem = c->mem};

		compile_param(&value, c, &param);
		text_puts(&value, "::");
		text_puts(&value, page->keys[i].cast);
		values[i] = text_end(&value);
	}
	if (is_simple(keys, page))
		put_simple(t, keys, values, page->key_count);
	else
		put_general(t, keys, values, page->key_count);
}
