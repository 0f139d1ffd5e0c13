/* select_list.c - lists and connections: pages, their arrays, their totals. */
#include "graphql/select_parts.h"

#include <string.h>

/* --- lists ---------------------------------------------------------------- */

struct plan_input
select_argument(
    struct compiler *c, const struct gql_collected *f, const char *name)
{
	return input_argument(c->mem, c->variables, f->nodes[0], name);
}

/* How many, from where. */
struct plan_page *
select_page_new(
    struct compiler *c, const struct gql_collected *f, const struct graph *g)
{
	struct plan_page *page = mem_alloc(c->mem, sizeof(*page));
	struct plan_input limit = select_argument(c, f, "limit");

	if (page == NULL)
		return NULL;
	page->type = g->type;
	page->size_default = graph_page_default(g);
	page->size_max = graph_page_max(g);
	page->size = select_argument(c, f, "first");
	if (input_present(&limit)) {
		if (input_present(&page->size))
			compile_fail(c, limit.at, "invalid_argument",
			    "first and limit say the same: one is enough.");
		page->size = limit;
	}
	page->sized = input_present(&page->size);
	page->offset = select_argument(c, f, "offset");
	page->after = select_argument(c, f, "after");
	page->after_given = input_present(&page->after);
	return page;
}

static void
put_conditions(struct text *t, struct compiler *c, struct scope *s,
    const struct listing *l)
{
	struct plan_input filters = select_argument(c, l->field, "filters");

	compile_visible(t, c, s);
	if (l->inverse >= 0 && *l->graph->columns[l->inverse] != '$') {
		text_puts(t, " and ");
		compile_column(t, c, s, l->inverse);
		text_puts(t, " = ");
		text_puts(t, l->owner);
	}
	if (l->optional >= 0 && input_present(&l->optional_id)) {
		struct plan_param id = {.kind = PARAM_VALUE,
		    .scalar = GRAPH_ID,
		    .value = l->optional_id};

		text_puts(t, " and ");
		compile_column(t, c, s, l->optional);
		text_puts(t, " = ");
		compile_param(t, c, &id);
		text_puts(t, "::uuid");
	}
	if (input_present(&filters)) {
		text_puts(t, " and ");
		filter_put(t, c, s, &filters);
	}
}

static void
put_bounds(struct text *t, struct compiler *c, const struct plan_page *page)
{
	struct plan_param limit = {.kind = PARAM_LIMIT, .page = page};
	struct plan_param offset = {.kind = PARAM_OFFSET,
	    .page = page,
	    .scalar = GRAPH_INT,
	    .value = page->offset};

	text_puts(t, " limit ");
	compile_param(t, c, &limit);
	text_puts(t, "::bigint");
	if (input_present(&page->offset)) {
		text_puts(t, " offset ");
		compile_param(t, c, &offset);
		text_puts(t, "::bigint");
	}
}

/* "select … from … where … order by … limit …" of a finished select. Where
 * others are joined to its rows, the page is found first. */
void
select_put_list(struct text *t, struct compiler *c, struct select *s,
    const struct listing *l, const struct plan_page *page,
    const struct order_key *keys)
{
	struct text rows = {.mem = c->mem};
	bool joined = s->joins.len > 0;
	const char *alias = s->scope.graph->aliases;
	int alias_len = (int)strcspn(alias, " ");
	const char *name =
	    mem_printf(c->mem, "%.*s%u", alias_len, alias, s->scope.number);

	put_conditions(&rows, c, &s->scope, l);
	if (page->after_given) {
		text_puts(&rows, " and ");
		order_after(&rows, c, keys, page);
	}
	text_puts(&rows, " order by ");
	order_put(&rows, keys, page);
	put_bounds(&rows, c, page);
	text_puts(t, "select ");
	select_put_items(t, s);
	if (!joined || s->scope.joins != 0) {
		compile_from(t, c, &s->scope);
		text_puts(t, text_end(&s->joins));
		text_puts(t, " where ");
		text_puts(t, text_end(&rows));
		return;
	}
	text_puts(t, " from (select ");
	text_puts(t, name);
	text_puts(t, ".*");
	compile_from(t, c, &s->scope);
	text_puts(t, " where ");
	text_puts(t, text_end(&rows));
	text_puts(t, ") ");
	text_puts(t, name);
	text_puts(t, text_end(&s->joins));
	text_puts(t, " order by ");
	order_put(t, keys, page);
}

static void
add_cursor_columns(struct compiler *c, struct select *s, struct plan_page *page,
    const struct order_key *keys)
{
	for (unsigned i = 0; i < page->key_count; i++) {
		struct text t = {.mem = c->mem};

		text_puts(&t, "(");
		text_puts(&t, keys[i].expression);
		text_puts(&t, ")::");
		text_puts(&t, page->keys[i].cast);
		page->keys[i].column =
		    select_add_expression(c, s, text_end(&t));
	}
}

/* The arrays of a list's columns, joined to s; where s is a list's itself, as
 * one record. */
static void
join_list(struct compiler *c, struct select *s, const struct select *inner,
    const char *list, struct plan_rows *rows)
{
	unsigned n = ++c->scopes;
	struct text *t = &s->joins;

	rows->count = inner->row->columns;
	rows->record = s->row->nested;
	text_puts(t, " left join lateral (select ");
	text_puts(t, rows->record ? "row(" : "");
	for (unsigned i = 0; i < rows->count; i++) {
		text_putf(t, "%sarray_agg(q.c%u)", i > 0 ? ", " : "", i);
		if (!rows->record)
			text_putf(t, " as a%u", i);
	}
	text_puts(t, rows->record ? ") as a0" : "");
	text_puts(t, " from (");
	text_puts(t, list);
	text_putf(t, ") q) t%u on true", n);
	rows->first = s->row->columns;
	for (unsigned i = 0; i < (rows->record ? 1 : rows->count); i++)
		select_add_expression(
		    c, s, mem_printf(c->mem, "t%u.a%u", n, i));
}

static struct plan_rows *
rows_new(struct compiler *c, const struct plan_page *page)
{
	struct plan_rows *rows = mem_alloc(c->mem, sizeof(*rows));

	if (rows != NULL) {
		rows->total = -1;
		rows->page = page;
	}
	return rows;
}

bool
select_list(struct compiler *c, struct select *s, const struct listing *l,
    struct plan_out *out)
{
	struct row row = {.nested = true};
	struct select inner = select_of(c, &row, l->graph);
	struct order_key keys[PLAN_KEYS_MAX];
	struct plan_page *page = select_page_new(c, l->field, l->graph);
	struct plan_input sort = select_argument(c, l->field, "sort");
	struct plan_rows *rows = rows_new(c, page);
	const struct gql_type *object = gql_type_named(l->field->field->type);
	struct gql_collected *below;
	struct text list = {.mem = c->mem};

	if (page == NULL || rows == NULL || c->failed ||
	    gql_collect_below(c->collector, object, l->field, &below) != 0)
		return false;
	inner.scope.owner = l->owner;
	if (!select_object(c, &inner, object, below, &out->children))
		return false;
	if (row.columns == 0)
		select_add_presence(c, &inner);
	order_make(c, &inner.scope, &sort, keys, page);
	if (c->failed)
		return false;
	select_put_list(&list, c, &inner, l, page, keys);
	join_list(c, s, &inner, text_end(&list), rows);
	out->rows = rows;
	return true;
}

/* --- connections ---------------------------------------------------------- */

static bool
is_field(const struct gql_collected *f, const char *name)
{
	return gql_name_is(&f->field->name, name, strlen(name));
}

static bool
select_page_info(
    struct compiler *c, const struct gql_collected *field, struct plan_out *out)
{
	static const struct {
		const char *name;
		enum plan_out_kind kind;
	} names[] = {{"hasNextPage", OUT_HAS_NEXT},
	    {"hasPreviousPage", OUT_HAS_PREVIOUS},
	    {"startCursor", OUT_START_CURSOR}, {"endCursor", OUT_END_CURSOR}};
	const struct gql_type *object = gql_type_named(field->field->type);
	struct gql_collected *f;
	struct plan_out **last = &out->children;

	if (gql_collect_below(c->collector, object, field, &f) != 0)
		return false;
	for (; f != NULL && last != NULL; f = f->next) {
		if (select_is_typename(c, f)) {
			last = select_append(
			    last, select_out_typename(c, f, "PageInfo"));
			continue;
		}
		for (unsigned i = 0; i < 4; i++)
			if (is_field(f, names[i].name))
				last = select_append(
				    last, select_out_new(
					      c, names[i].kind, f, "PageInfo"));
	}
	return last != NULL;
}

static bool
select_edges(struct compiler *c, struct select *inner,
    const struct gql_collected *field, struct plan_out *out)
{
	const struct gql_type *object = gql_type_named(field->field->type);
	struct gql_collected *f, *below;
	struct plan_out **last = &out->children;
	const char *type =
	    mem_strndup(c->mem, object->name.s, object->name.len);

	if (type == NULL ||
	    gql_collect_below(c->collector, object, field, &f) != 0)
		return false;
	for (; f != NULL && last != NULL; f = f->next) {
		struct plan_out *o;

		if (select_is_typename(c, f)) {
			last = select_append(
			    last, select_out_typename(c, f, type));
			continue;
		}
		o = select_out_new(
		    c, is_field(f, "node") ? OUT_NODE : OUT_CURSOR, f, type);
		if ((last = select_append(last, o)) == NULL ||
		    o->kind != OUT_NODE)
			continue;
		object = gql_type_named(f->field->type);
		if (gql_collect_below(c->collector, object, f, &below) != 0 ||
		    !select_object(c, inner, object, below, &o->children))
			return false;
	}
	return last != NULL;
}

/* A field of the connection; NULL: it failed. */
static struct plan_out *
select_part(struct compiler *c, struct select *inner,
    const struct gql_collected *f, const char *type)
{
	struct plan_out *out;
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;

	if (select_is_typename(c, f))
		return select_out_typename(c, f, type);
	if (is_field(f, "totalCount"))
		return select_out_new(c, OUT_TOTAL, f, type);
	if (is_field(f, "pageInfo")) {
		out = select_out_new(c, OUT_PAGE_INFO, f, type);
		return out != NULL && select_page_info(c, f, out) ? out : NULL;
	}
	if (is_field(f, "edges")) {
		out = select_out_new(c, OUT_EDGES, f, type);
		return out != NULL && select_edges(c, inner, f, out) ? out
								     : NULL;
	}
	out = select_out_new(c, OUT_NODES, f, type);
	if (out == NULL ||
	    gql_collect_below(c->collector, object, f, &below) != 0 ||
	    !select_object(c, inner, object, below, &out->children))
		return NULL;
	return out;
}

/* How many rows all pages have. */
static int
add_total(struct compiler *c, struct select *s, const struct listing *l)
{
	struct scope scope = scope_of(c, l->graph);
	struct text t = {.mem = c->mem}, where = {.mem = c->mem};

	scope.owner = l->owner;
	put_conditions(&where, c, &scope, l);
	text_puts(&t, "(select count(*)");
	compile_from(&t, c, &scope);
	text_puts(&t, " where ");
	text_puts(&t, text_end(&where));
	text_puts(&t, ")");
	return select_add_expression(c, s, text_end(&t));
}

static bool
wants(const struct plan_out *out, enum plan_out_kind kind)
{
	for (; out != NULL; out = out->next)
		if (out->kind == kind ||
		    ((out->kind == OUT_EDGES || out->kind == OUT_PAGE_INFO) &&
			wants(out->children, kind)))
			return true;
	return false;
}

bool
select_connection(struct compiler *c, struct select *s, const struct listing *l,
    struct plan_out *out)
{
	struct row row = {.nested = true};
	struct select inner = select_of(c, &row, l->graph);
	struct order_key keys[PLAN_KEYS_MAX];
	struct plan_page *page = select_page_new(c, l->field, l->graph);
	struct plan_input sort = select_argument(c, l->field, "sort");
	struct plan_rows *rows = rows_new(c, page);
	const struct gql_type *object = gql_type_named(l->field->field->type);
	struct gql_collected *f;
	struct plan_out **last = &out->children;
	struct text list = {.mem = c->mem};
	const char *type =
	    mem_strndup(c->mem, object->name.s, object->name.len);

	if (page == NULL || rows == NULL || type == NULL || c->failed ||
	    gql_collect_below(c->collector, object, l->field, &f) != 0)
		return false;
	inner.scope.owner = l->owner;
	for (; f != NULL && last != NULL; f = f->next)
		last = select_append(last, select_part(c, &inner, f, type));
	if (last == NULL || c->failed)
		return false;
	order_make(c, &inner.scope, &sort, keys, page);
	if (c->failed)
		return false;
	page->more = wants(out->children, OUT_HAS_NEXT);
	if (wants(out->children, OUT_CURSOR) ||
	    wants(out->children, OUT_START_CURSOR) ||
	    wants(out->children, OUT_END_CURSOR))
		add_cursor_columns(c, &inner, page, keys);
	if (row.columns == 0)
		select_add_presence(c, &inner);
	if (wants(out->children, OUT_TOTAL))
		rows->total = add_total(c, s, l);
	select_put_list(&list, c, &inner, l, page, keys);
	join_list(c, s, &inner, text_end(&list), rows);
	out->rows = rows;
	return true;
}
