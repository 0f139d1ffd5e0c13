/* select_root.c - root fields: one, a list, a connection. */
#include "graphql/select_parts.h"

#include <string.h>

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
	return select_argument(c, f, name);
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
	    .value = select_argument(c, f, "id")};
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;
	struct text where = {.mem = c->mem}, owner = {.mem = c->mem};

	if (q->kind == QUERY_CURRENT_USER)
		id = (struct plan_param){.kind = PARAM_USER};
	if (q->kind == QUERY_EVENT || q->kind == QUERY_RESULT)
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
		select_add_presence(c, &s);
	compile_put(&where, c, &s.scope, q->graph->by_id);
	text_puts(&where, " and ");
	compile_visible(&where, c, &s.scope);
	text_puts(t, "select ");
	select_put_items(t, &s);
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
	struct plan_page *page = select_page_new(c, f, q->graph);
	struct plan_input sort = select_argument(c, f, "sort");
	struct listing l = root_listing(c, q->graph, f);
	const struct gql_type *object = gql_type_named(f->field->type);
	struct gql_collected *below;

	s.scope.owner = l.owner;
	if (page == NULL || c->failed ||
	    gql_collect_below(c->collector, object, f, &below) != 0 ||
	    !select_object(c, &s, object, below, &root->out.children))
		return false;
	if (row.columns == 0)
		select_add_presence(c, &s);
	order_make(c, &s.scope, &sort, keys, page);
	if (c->failed)
		return false;
	select_put_list(t, c, &s, &l, page, keys);
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
	select_put_items(t, &s);
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
	case QUERY_RESULT:
		made = root_one(c, root, q, f, &t);
		break;
	case QUERY_LIST:
		made = root_list(c, root, q, f, &t);
		break;
	case QUERY_CONNECTION:
		made = root_connection(c, root, q, f, &t);
		break;
	case QUERY_DONE:
		root->kind = ROOT_DONE;
		return true;
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
