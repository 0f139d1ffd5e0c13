/* select.c - objects: columns, what is joined to one, what is written of it. */
#include "graphql/select_parts.h"

#include <string.h>

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

int
select_add_expression(
    struct compiler *c, struct select *s, const char *expression)
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
	column = select_add_expression(c, s, text_end(&t));
	if (s->count > 0)
		s->items[s->count - 1].member = member;
	return column;
}

/* Not null in every row that is there. */
int
select_add_presence(struct compiler *c, struct select *s)
{
	const struct graph *g = s->scope.graph;
	struct text t = {.mem = c->mem};

	if (g->tie_type == FIELD_UUID)
		return add_column(c, s, 0, GRAPH_ID);
	compile_put(&t, c, &s->scope, g->tie);
	return select_add_expression(c, s, text_end(&t));
}

/* "a as c0, b as c1" */
void
select_put_items(struct text *t, const struct select *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		text_puts(t, i > 0 ? ", " : "");
		text_puts(t, s->items[i].expression);
		text_putf(t, " as c%u", s->items[i].column);
	}
}

struct select
select_of(struct compiler *c, struct row *row, const struct graph *g)
{
	struct select s = {.row = row, .joins = {.mem = c->mem}};

	s.scope = scope_of(c, g);
	return s;
}

/* --- output --------------------------------------------------------------- */

struct plan_out *
select_out_new(struct compiler *c, enum plan_out_kind kind,
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

bool
select_is_typename(const struct compiler *c, const struct gql_collected *f)
{
	return f->field == &c->collector->schema->meta_typename;
}

struct plan_out *
select_out_typename(
    struct compiler *c, const struct gql_collected *f, const char *type)
{
	struct plan_out *out = select_out_new(c, OUT_TYPENAME, f, type);

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
	select_put_items(&s->joins, inner);
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
	struct plan_out *out = select_out_new(c, OUT_ONE, f, type);
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
	out->column = select_add_presence(c, &inner);
	if (!select_object(c, &inner, object, below, &out->children))
		return NULL;
	compile_put(&condition, c, &inner.scope, m->target->by_id);
	text_puts(&condition, " and ");
	compile_visible(&condition, c, &inner.scope);
	join_select(c, s, &inner, text_end(&condition));
	return out;
}

struct plan_out **
select_append(struct plan_out **last, struct plan_out *out)
{
	if (out == NULL)
		return NULL;
	*last = out;
	return &out->next;
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
	    select_out_new(c, list ? OUT_LIST : OUT_CONNECTION, f, type);

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

	if (select_is_typename(c, f))
		return select_out_typename(c, f, type);
	switch (m->kind) {
	case GRAPH_FIELD:
		if ((out = select_out_new(c, OUT_SCALAR, f, type)) != NULL) {
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

bool
select_object(struct compiler *c, struct select *s,
    const struct gql_type *object, const struct gql_collected *f,
    struct plan_out **out)
{
	const struct graph *g = object->binding;
	struct plan_out **last = out;

	for (; f != NULL && last != NULL; f = f->next)
		last = select_append(last, select_field(c, s, f, g->type));
	return last != NULL && !c->failed;
}
