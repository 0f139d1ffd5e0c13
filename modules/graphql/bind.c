/* bind.c - from web's tables to a schema, and back. */
#include "graphql/bind.h"

#include <stdlib.h>
#include <string.h>

#include "graphql/select.h"
#include "web/graph_mutation.h"

static struct mem mem;
static struct gql_schema *schema;
static const char *failure;

static void
bind_members(struct gql_type *type, const struct graph *g)
{
	unsigned count;
	const struct graph_member *m = members_of(g, &count);

	type->binding = g;
	for (; count > 0; count--, m++) {
		struct gql_field *f =
		    gql_type_field(type, m->name, strlen(m->name));

		if (f == NULL)
			continue;
		f->binding = m;
		if (m->kind >= GRAPH_LIST)
			f->list_size = graph_page_default(m->target);
	}
}

static void
bind_query(const char *name, const char *suffix, enum query_kind kind,
    const struct graph *g)
{
	struct query_field *q = mem_alloc(&mem, sizeof(*q));
	char *whole = mem_printf(&mem, "%s%s", name, suffix);
	struct gql_field *f;

	if (q == NULL || whole == NULL)
		return;
	f = gql_type_field(schema->roots[GQL_QUERY], whole, strlen(whole));
	if (f == NULL)
		return;
	q->kind = kind;
	q->graph = g;
	f->binding = q;
	if (kind == QUERY_LIST || kind == QUERY_CONNECTION)
		f->list_size = graph_page_default(g);
}

static void
bind_event(const char *name, const struct graph *g)
{
	struct query_field *q = mem_alloc(&mem, sizeof(*q));
	struct gql_field *f =
	    gql_type_field(schema->roots[GQL_SUBSCRIPTION], name, strlen(name));

	if (q == NULL || f == NULL)
		return;
	q->kind = QUERY_EVENT;
	q->graph = g;
	f->binding = q;
}

static void
bind_mutations(void)
{
	const struct graph_mutation *m;

	for (m = graph_mutations; m->name != NULL; m++) {
		struct query_field *q = mem_alloc(&mem, sizeof(*q));
		struct gql_field *f = gql_type_field(
		    schema->roots[GQL_MUTATION], m->name, strlen(m->name));

		if (q == NULL || f == NULL)
			continue;
		q->graph = m->result == NULL ? NULL : graph_of_type(m->result);
		q->kind = q->graph == NULL ? QUERY_DONE : QUERY_RESULT;
		f->binding = q;
	}
}

static void
bind_all(void)
{
	const struct graph *g;

	bind_mutations();

	for (g = graph_table; g->resource != NULL; g++) {
		struct gql_type *type =
		    gql_schema_type(schema, g->type, strlen(g->type));

		if (type == NULL)
			continue;
		bind_members(type, g);
		if (g->one != NULL)
			bind_query(g->one, "", QUERY_ONE, g);
		if (g->many != NULL) {
			bind_query(g->many, "", QUERY_LIST, g);
			bind_query(g->many, "Connection", QUERY_CONNECTION, g);
		}
		if (strcmp(g->type, "User") == 0)
			bind_query("currentUser", "", QUERY_CURRENT_USER, g);
		if (strcmp(g->type, "Execution") == 0)
			bind_event("executionUpdated", g);
		if (strcmp(g->type, "NodeExecution") == 0)
			bind_event("nodeExecutionUpdated", g);
	}
}

static int
make(void)
{
	struct gql_document *document;
	struct gql_faults faults;
	struct gql_error e = {.code = NULL};
	struct buf sdl;
	char *text;

	buf_create(&sdl, 0);
	graph_sdl_write(&sdl);
	text = mem_strndup(&mem, sdl.data, sdl.len);
	gql_faults_create(&faults, &mem, 1);
	if (text == NULL || members_init() != 0)
		failure = "out of memory";
	else if (gql_parse(&mem, text, sdl.len, NULL, &document, &e) != 0)
		failure = mem_strdup(&mem, e.message);
	else if (gql_schema_build(&mem, document, &schema, &faults) != 0)
		failure = faults.first != NULL ? faults.first->message
					       : "out of memory";
	else
		bind_all();
	buf_free(&sdl);
	return failure == NULL ? 0 : -1;
}

const struct gql_schema *
bind_schema(const char **message)
{
	if (schema == NULL && failure == NULL) {
		mem_create(&mem, 0);
		if (make() != 0)
			schema = NULL;
	}
	*message = failure;
	return schema;
}

void
bind_free(void)
{
	if (schema != NULL || failure != NULL)
		mem_destroy(&mem);
	schema = NULL;
	failure = NULL;
	members_free();
}
