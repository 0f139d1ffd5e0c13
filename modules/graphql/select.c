/* select.c - from a selection to a statement.
 *
 * A row of the statement (or of a list within it) has numbered columns; a select
 * knows the expression of each of its own, and passes on those of the selects
 * joined to it, under the same number.
 */
#include "graphql/select.h"

#include <stdio.h>
#include <string.h>

struct row {
	unsigned columns;
	bool nested; /* of a list within the statement */
};

struct item {
	unsigned column;
	int member; /* index in the graph's columns; -1: another */
	const char *expression;
};

struct select {
	struct row *row;
	struct scope scope;
	struct item *items;
	unsigned count, room;
	struct text joins;
};

static bool select_object(struct compiler *, struct select *,
    const struct gql_type *, const struct gql_collected *, struct plan_out **);

/* --- columns -------------------------------------------------------------- */

static void
add_item(struct compiler *c, struct select *s, unsigned column, int member,
    const char *expression)
{
	if (s->count == s->room) {
		unsigned room = s->room * 2 + 16;
		struct item *items = mem_array(c->mem, room, sizeof(*items));

		if (items == NULL)
			return;
		if (s->count > 0)
			memcpy(items, s->items, s->count * sizeof(*items));
		s->items = items;
		s->room = room;
	}
	s->items[s->count++] = (struct item){column, member, expression};
}

static int
add_expression(struct compiler *c, struct select *s, const char *expression)
{
	if (s->row->columns >= PLAN_COLUMNS_MAX) {
		compile_fail(c, (struct gql_place){0, 0}, "query_too_costly",
		    "A field asks for more than %d columns.", PLAN_COLUMNS_MAX);
		return 0;
	}
	add_item(c, s, s->row->columns, -1, expression);
	return (int)s->row->columns++;
}

/* A column of web's table, once. */
static int
add_column(
    struct compiler *c, struct select *s, int member, enum graph_scalar scalar)
{
	struct text t = {.mem = c->mem};
	int column;

	for (unsigned i = 0; i < s->count; i++)
		if (s->items[i].member == member)
			return (int)s->items[i].column;
	compile_column(&t, c, &s->scope, member);
	if (scalar == GRAPH_STRING || scalar == GRAPH_ENUM ||
	    scalar == GRAPH_FLOAT || scalar == GRAPH_DURATION ||
	    scalar == GRAPH_JSON) {
		text_puts(&t, "::");
		text_puts(&t, compile_cast(scalar));
	}
	column = add_expression(c, s, text_end(&t));
	if (s->count > 0)
		s->items[s->count - 1].member = member;
	return column;
}

/* Not null in every row that is there. */
static int
add_presence(struct compiler *c, struct select *s)
{
	const struct graph *g = s->scope.graph;
	struct text t = {.mem = c->mem};

	if (g->tie_type == FIELD_UUID)
		return add_column(c, s, 0, GRAPH_ID);
	compile_put(&t, c, &s->scope, g->tie);
	return add_expression(c, s, text_end(&t));
}

/* "a as c0, b as c1" */
static void
put_items(struct text *t, const struct select *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		text_puts(t, i > 0 ? ", " : "");
		text_puts(t, s->items[i].expression);
		text_putf(t, " as c%u", s->items[i].column);
	}
}

static struct select
select_of(struct compiler *c, struct row *row, const struct graph *g)
{
	struct select s = {.row = row, .joins = {.mem = c->mem}};

	s.scope = scope_of(c, g);
	return s;
}

/* --- output --------------------------------------------------------------- */

static struct plan_out *
out_new(struct compiler *c, enum plan_out_kind kind,
    const struct gql_collected *f, const char *type)
{
	struct plan_out *out = mem_alloc(c->mem, sizeof(*out));
	char *key;

	if (out == NULL)
		return NULL;
	out->kind = kind;
	out->column = -1;
	if (f == NULL)
		return out;
	key = mem_printf(
	    c->mem, "\"%.*s\":", (int)f->response.len, f->response.s);
	out->key = key;
	out->key_len = f->response.len + 3;
	out->response = f->response;
	out->at = f->nodes[0]->at;
	out->type = type;
	out->field = mem_strndup(c->mem, f->field->name.s, f->field->name.len);
	out->not_null = f->field->type->kind == GQL_NON_NULL;
	return mem_failed(c->mem) ? NULL : out;
}

static bool
is_typename(const struct compiler *c, const struct gql_collected *f)
{
	return f->field == &c->collector->schema->meta_typename;
}

static struct plan_out *
out_typename(
    struct compiler *c, const struct gql_collected *f, const char *type)
{
	struct plan_out *out = out_new(c, OUT_TYPENAME, f, type);

	if (out != NULL)
		out->text = mem_strdup(c->mem, type);
	return out;
}

/* --- to one --------------------------------------------------------------- */

/* Joins a finished select as a lateral subquery: `condition` ends it. */
static void
join_select(struct compiler *c, struct select *s, struct select *inner,
    const char *condition)
{
	unsigned n = ++c->scopes;

	text_puts(&s->joins, " left join lateral (select ");
	put_items(&s->joins, inner);
	compile_from(&s->joins, c, &inner->scope);
	text_puts(&s->joins, text_end(&inner->joins));
	text_puts(&s->joins, " where ");
	text_puts(&s->joins, condition);
	text_putf(&s->joins, ") t%u on true", n);
	for (unsigned i = 0; i < inner->count; i++)
		add_item(c, s, inner->items[i].column, -1,
		    mem_printf(c->mem, "t%u.c%u", n, inner->items[i].column));
}

static struct plan_out *
select_one(struct compiler *c, struct select *s, const struct gql_collected *f,
    const struct graph_member *m, const char *type)
{
	struct plan_out *out = out_new(c, OUT_ONE, f, type);
	struct select inner = select_of(c, s->row, m->target);
	struct text id = {.mem = c->mem}, condition = {.mem = c->mem};
	struct text owner = {.mem = c->mem};
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;

	compile_column(&id, c, &s->scope, m->column);
	inner.scope.id = text_end(&id);
	if (m->target->owner_of_id != NULL) {
		compile_put(&owner, c, &inner.scope, m->target->owner_of_id);
		inner.scope.owner = text_end(&owner);
	}
	if (out == NULL ||
	    gql_collect_below(c->collector, object, f, &below) != 0)
		return NULL;
	out->column = add_presence(c, &inner);
	if (!select_object(c, &inner, object, below, &out->children))
		return NULL;
	compile_put(&condition, c, &inner.scope, m->target->by_id);
	text_puts(&condition, " and ");
	compile_visible(&condition, c, &inner.scope);
	join_select(c, s, &inner, text_end(&condition));
	return out;
}

/* --- lists ---------------------------------------------------------------- */

static struct plan_input
argument(struct compiler *c, const struct gql_collected *f, const char *name)
{
	return input_argument(c->mem, c->variables, f->nodes[0], name);
}

/* How many, from where. */
static struct plan_page *
page_new(
    struct compiler *c, const struct gql_collected *f, const struct graph *g)
{
	struct plan_page *page = mem_alloc(c->mem, sizeof(*page));
	struct plan_input limit = argument(c, f, "limit");

	if (page == NULL)
		return NULL;
	page->type = g->type;
	page->size_default = graph_page_default(g);
	page->size_max = graph_page_max(g);
	page->size = argument(c, f, "first");
	if (input_present(&limit)) {
		if (input_present(&page->size))
			compile_fail(c, limit.at, "invalid_argument",
			    "first and limit say the same: one is enough.");
		page->size = limit;
	}
	page->sized = input_present(&page->size);
	page->offset = argument(c, f, "offset");
	page->after = argument(c, f, "after");
	page->after_given = input_present(&page->after);
	return page;
}

/* What makes a list: which rows, beside the actor's. */
struct listing {
	const struct graph *graph;
	const struct gql_collected *field;
	const char *owner; /* expression of the owner's id, or NULL */
	int inverse;	   /* column that equals it, or -1 */
	/* A relation that an argument may name, or -1. */
	int optional;
	struct plan_input optional_id;
};

static void
put_conditions(struct text *t, struct compiler *c, struct scope *s,
    const struct listing *l)
{
	struct plan_input filters = argument(c, l->field, "filters");

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
static void
put_list(struct text *t, struct compiler *c, struct select *s,
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
	put_items(t, s);
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
		page->keys[i].column = add_expression(c, s, text_end(&t));
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
		add_expression(c, s, mem_printf(c->mem, "t%u.a%u", n, i));
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

static bool
select_list(struct compiler *c, struct select *s, const struct listing *l,
    struct plan_out *out)
{
	struct row row = {.nested = true};
	struct select inner = select_of(c, &row, l->graph);
	struct order_key keys[PLAN_KEYS_MAX];
	struct plan_page *page = page_new(c, l->field, l->graph);
	struct plan_input sort = argument(c, l->field, "sort");
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
		add_presence(c, &inner);
	order_make(c, &inner.scope, &sort, keys, page);
	if (c->failed)
		return false;
	put_list(&list, c, &inner, l, page, keys);
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

static struct plan_out **
append(struct plan_out **last, struct plan_out *out)
{
	if (out == NULL)
		return NULL;
	*last = out;
	return &out->next;
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
		if (is_typename(c, f)) {
			last = append(last, out_typename(c, f, "PageInfo"));
			continue;
		}
		for (unsigned i = 0; i < 4; i++)
			if (is_field(f, names[i].name))
				last = append(last,
				    out_new(c, names[i].kind, f, "PageInfo"));
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

		if (is_typename(c, f)) {
			last = append(last, out_typename(c, f, type));
			continue;
		}
		o = out_new(
		    c, is_field(f, "node") ? OUT_NODE : OUT_CURSOR, f, type);
		if ((last = append(last, o)) == NULL || o->kind != OUT_NODE)
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

	if (is_typename(c, f))
		return out_typename(c, f, type);
	if (is_field(f, "totalCount"))
		return out_new(c, OUT_TOTAL, f, type);
	if (is_field(f, "pageInfo")) {
		out = out_new(c, OUT_PAGE_INFO, f, type);
		return out != NULL && select_page_info(c, f, out) ? out : NULL;
	}
	if (is_field(f, "edges")) {
		out = out_new(c, OUT_EDGES, f, type);
		return out != NULL && select_edges(c, inner, f, out) ? out
								     : NULL;
	}
	out = out_new(c, OUT_NODES, f, type);
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
	return add_expression(c, s, text_end(&t));
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

static bool
select_connection(struct compiler *c, struct select *s, const struct listing *l,
    struct plan_out *out)
{
	struct row row = {.nested = true};
	struct select inner = select_of(c, &row, l->graph);
	struct order_key keys[PLAN_KEYS_MAX];
	struct plan_page *page = page_new(c, l->field, l->graph);
	struct plan_input sort = argument(c, l->field, "sort");
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
		last = append(last, select_part(c, &inner, f, type));
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
		add_presence(c, &inner);
	if (wants(out->children, OUT_TOTAL))
		rows->total = add_total(c, s, l);
	put_list(&list, c, &inner, l, page, keys);
	join_list(c, s, &inner, text_end(&list), rows);
	out->rows = rows;
	return true;
}

/* --- objects -------------------------------------------------------------- */

static struct plan_out *
select_many(struct compiler *c, struct select *s, const struct gql_collected *f,
    const struct graph_member *m, const char *type)
{
	struct text owner = {.mem = c->mem};
	struct listing l = {.graph = m->target,
	    .field = f,
	    .inverse = m->inverse,
	    .optional = -1};
	bool list = m->kind == GRAPH_LIST;
	struct plan_out *out =
	    out_new(c, list ? OUT_LIST : OUT_CONNECTION, f, type);

	compile_column(&owner, c, &s->scope, 0);
	l.owner = text_end(&owner);
	if (out == NULL || !(list ? select_list(c, s, &l, out)
				  : select_connection(c, s, &l, out)))
		return NULL;
	return out;
}

static struct plan_out *
select_field(struct compiler *c, struct select *s,
    const struct gql_collected *f, const char *type)
{
	const struct graph_member *m = f->field->binding;
	struct plan_out *out;

	if (is_typename(c, f))
		return out_typename(c, f, type);
	switch (m->kind) {
	case GRAPH_FIELD:
		if ((out = out_new(c, OUT_SCALAR, f, type)) != NULL) {
			out->scalar = m->scalar;
			out->column = add_column(c, s, m->column, m->scalar);
		}
		return out;
	case GRAPH_ONE:
		return select_one(c, s, f, m, type);
	case GRAPH_LIST:
	case GRAPH_CONNECTION:
		break;
	}
	return select_many(c, s, f, m, type);
}

static bool
select_object(struct compiler *c, struct select *s,
    const struct gql_type *object, const struct gql_collected *f,
    struct plan_out **out)
{
	const struct graph *g = object->binding;
	struct plan_out **last = out;

	for (; f != NULL && last != NULL; f = f->next)
		last = append(last, select_field(c, s, f, g->type));
	return last != NULL && !c->failed;
}

/* --- root fields ---------------------------------------------------------- */

static int
relation_column(const struct graph *g, const char *name)
{
	const struct relation *r = g->resource->relations;

	for (; name != NULL && r->name != NULL; r++)
		if (strcmp(r->name, name) == 0)
			return r->column;
	return -1;
}

static struct plan_input
owner_argument(
    struct compiler *c, const struct gql_collected *f, const char *relation)
{
	char name[GRAPH_NAME_MAX];

	if (relation == NULL)
		return (struct plan_input){.ast = NULL};
	graph_camel(relation, name);
	strncat(name, "Id", sizeof(name) - strlen(name) - 1);
	return argument(c, f, name);
}

static const char *
id_param(struct compiler *c, const struct plan_param *param)
{
	struct text t = {.mem = c->mem};

	compile_param(&t, c, param);
	text_puts(&t, "::uuid");
	return text_end(&t);
}

static struct listing
root_listing(
    struct compiler *c, const struct graph *g, const struct gql_collected *f)
{
	const char *optional = graph_optional_owner(g);
	struct listing l = {.graph = g,
	    .field = f,
	    .inverse = relation_column(g, g->owner),
	    .optional = relation_column(g, optional),
	    .optional_id = owner_argument(c, f, optional)};
	struct plan_param owner = {.kind = PARAM_VALUE,
	    .scalar = GRAPH_ID,
	    .value = owner_argument(c, f, g->owner)};

	if (g->owner != NULL)
		l.owner = id_param(c, &owner);
	return l;
}

static bool
root_one(struct compiler *c, struct plan_root *root,
    const struct query_field *q, const struct gql_collected *f, struct text *t)
{
	struct row row = {.nested = false};
	struct select s = select_of(c, &row, q->graph);
	struct plan_param id = {.kind = PARAM_VALUE,
	    .scalar = GRAPH_ID,
	    .value = argument(c, f, "id")};
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;
	struct text where = {.mem = c->mem}, owner = {.mem = c->mem};

	if (q->kind == QUERY_CURRENT_USER)
		id = (struct plan_param){.kind = PARAM_USER};
	if (q->kind == QUERY_EVENT)
		id = (struct plan_param){.kind = PARAM_SUBJECT};
	s.scope.id = id_param(c, &id);
	if (q->graph->owner_of_id != NULL) {
		compile_put(&owner, c, &s.scope, q->graph->owner_of_id);
		s.scope.owner = text_end(&owner);
	}
	if (gql_collect_below(c->collector, object, f, &below) != 0 ||
	    !select_object(c, &s, object, below, &root->out.children))
		return false;
	if (row.columns == 0)
		add_presence(c, &s);
	compile_put(&where, c, &s.scope, q->graph->by_id);
	text_puts(&where, " and ");
	compile_visible(&where, c, &s.scope);
	text_puts(t, "select ");
	put_items(t, &s);
	compile_from(t, c, &s.scope);
	text_puts(t, text_end(&s.joins));
	text_puts(t, " where ");
	text_puts(t, text_end(&where));
	root->kind = ROOT_ONE;
	root->column_count = row.columns;
	return true;
}

static bool
root_list(struct compiler *c, struct plan_root *root,
    const struct query_field *q, const struct gql_collected *f, struct text *t)
{
	struct row row = {.nested = false};
	struct select s = select_of(c, &row, q->graph);
	struct order_key keys[PLAN_KEYS_MAX];
	struct plan_page *page = page_new(c, f, q->graph);
	struct plan_input sort = argument(c, f, "sort");
	struct listing l = root_listing(c, q->graph, f);
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;

	s.scope.owner = l.owner;
	if (page == NULL || c->failed ||
	    gql_collect_below(c->collector, object, f, &below) != 0 ||
	    !select_object(c, &s, object, below, &root->out.children))
		return false;
	if (row.columns == 0)
		add_presence(c, &s);
	order_make(c, &s.scope, &sort, keys, page);
	if (c->failed)
		return false;
	put_list(t, c, &s, &l, page, keys);
	root->kind = ROOT_LIST;
	root->page = page;
	root->column_count = row.columns;
	return true;
}

static bool
root_connection(struct compiler *c, struct plan_root *root,
    const struct query_field *q, const struct gql_collected *f, struct text *t)
{
	struct row row = {.nested = false};
	struct select s = {.row = &row, .joins = {.mem = c->mem}};
	struct listing l = root_listing(c, q->graph, f);

	if (!select_connection(c, &s, &l, &root->out))
		return false;
	text_puts(t, "select ");
	put_items(t, &s);
	text_puts(t, " from (select) z");
	text_puts(t, text_end(&s.joins));
	root->kind = ROOT_CONNECTION;
	root->column_count = row.columns;
	return true;
}

bool
select_root(
    struct compiler *c, struct plan_root *root, const struct gql_collected *f)
{
	const struct query_field *q = f->field->binding;
	struct text t = {.mem = c->mem};
	bool made = false;

	c->scopes = c->param_count = 0;
	c->actions = 0;
	switch (q->kind) {
	case QUERY_ONE:
	case QUERY_CURRENT_USER:
	case QUERY_EVENT:
		made = root_one(c, root, q, f, &t);
		break;
	case QUERY_LIST:
		made = root_list(c, root, q, f, &t);
		break;
	case QUERY_CONNECTION:
		made = root_connection(c, root, q, f, &t);
		break;
	}
	root->actions = c->actions;
	root->sql.text = text_end(&t);
	root->sql.params = root->param_count = c->param_count;
	root->params =
	    mem_array(c->mem, c->param_count + 1, sizeof(*c->params));
	if (root->params != NULL)
		memcpy((void *)(uintptr_t)root->params, c->params,
		    c->param_count * sizeof(*c->params));
	return made && !c->failed && !mem_failed(c->mem);
}
