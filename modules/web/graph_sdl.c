/* graph_sdl.c - GraphQL's schema from the tables, in SDL: assets/schema.graphql
 * is what it writes, and the server reads the same text when it starts.
 */
#include <string.h>

#include "web/graph.h"
#include "web/graph_mutation.h"

static const char head[] =
    "\"\"\"A time as RFC 3339 writes it, in UTC.\"\"\"\n"
    "scalar DateTime @specifiedBy(url: "
    "\"https://www.rfc-editor.org/rfc/rfc3339\")\n\n"
    "\"\"\"\nA length of time as ISO 8601 writes it: PT1.5S. Given, it may "
    "also be written\nas in a DAG's definition: 250ms, 5s, 2m, 1h, 1d.\n"
    "\"\"\"\n"
    "scalar Duration @specifiedBy(url: "
    "\"https://www.iso.org/standard/70907.html\")\n\n"
    "\"\"\"Any value of JSON.\"\"\"\n"
    "scalar JSON @specifiedBy(url: "
    "\"https://www.rfc-editor.org/rfc/rfc8259\")\n\n"
    "\"\"\"An id of 128 bits in 36 characters.\"\"\"\n"
    "scalar UUID @specifiedBy(url: "
    "\"https://www.rfc-editor.org/rfc/rfc9562\")\n\n"
    "\"\"\"Which way a list is sorted, and where what has no value "
    "stands.\"\"\"\n"
    "enum SortOrder {\n"
    "  \"\"\"The smallest first; what has no value is last.\"\"\"\n  ASC\n"
    "  ASC_NULLS_FIRST\n  ASC_NULLS_LAST\n"
    "  \"\"\"The greatest first; what has no value is first.\"\"\"\n  DESC\n"
    "  DESC_NULLS_FIRST\n  DESC_NULLS_LAST\n}\n\n"
    "\"\"\"Where a page of a connection stands.\"\"\"\n"
    "type PageInfo {\n"
    "  \"\"\"Whether more follows after endCursor.\"\"\"\n"
    "  hasNextPage: Boolean!\n"
    "  \"\"\"Whether the page was asked for with `after`.\"\"\"\n"
    "  hasPreviousPage: Boolean!\n"
    "  startCursor: String\n"
    "  \"\"\"For `after`: the next page.\"\"\"\n"
    "  endCursor: String\n"
    "}\n\n";

void
graph_sdl_describe(struct buf *b, const char *indent, const char *text)
{
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0)
		return;
	buf_puts(b, indent);
	buf_puts(b, "\"\"\"");
	/* A quote at the end would make it four. */
	buf_put(b, text, len);
	if (text[len - 1] == '"')
		buf_putc(b, ' ');
	buf_puts(b, "\"\"\"\n");
}

static void
put_scalar(struct buf *b, enum graph_scalar scalar, const char *const *values)
{
	char name[GRAPH_NAME_MAX];

	if (scalar != GRAPH_ENUM) {
		buf_puts(b, graph_scalar_names[scalar]);
		return;
	}
	graph_enum_name(values, name);
	buf_puts(b, name);
}

/* --- filters -------------------------------------------------------------- */

static void
put_operators(
    struct buf *b, const char *name, bool ordered, bool text, bool list)
{
	static const char *const orders[] = {"lt", "lte", "gt", "gte"};
	static const char *const texts[][2] = {
	    {"like", "A pattern: % is any text, _ any character."},
	    {"ilike", "The same in capitals or not."},
	    {"contains", "The text is somewhere in it."}};

	buf_printf(b,
	    "\"\"\"What a value of type %s must be; all that is given "
	    "holds.\"\"\"\n"
	    "input %sFilter {\n  eq: %s\n  notEq: %s\n",
	    name, name, name, name);
	if (list)
		buf_printf(b, "  in: [%s!]\n  notIn: [%s!]\n", name, name);
	for (unsigned i = 0; ordered && i < 4; i++)
		buf_printf(b, "  %s: %s\n", orders[i], name);
	buf_puts(b, "  \"\"\"Whether there is no value.\"\"\"\n"
		    "  isNil: Boolean\n");
	for (unsigned i = 0; text && i < 3; i++)
		buf_printf(b, "  \"\"\"%s\"\"\"\n  %s: %s\n", texts[i][1],
		    texts[i][0], name);
	buf_puts(b, "}\n\n");
}

static void
put_scalar_filters(struct buf *b)
{
	put_operators(b, "Boolean", false, false, false);
	put_operators(b, "DateTime", true, false, true);
	put_operators(b, "Duration", true, false, true);
	put_operators(b, "Float", true, false, true);
	put_operators(b, "ID", false, false, true);
	put_operators(b, "Int", true, false, true);
	put_operators(b, "String", true, true, true);
	put_operators(b, "UUID", false, false, true);
}

static void
put_filters(struct buf *b, const struct graph *g,
    const struct graph_member *members, unsigned count)
{
	buf_printf(b,
	    "\"\"\"Which of them; all that is given holds.\"\"\"\n"
	    "input %sFilters {\n  and: [%sFilters!]\n  or: [%sFilters!]\n"
	    "  not: %sFilters\n",
	    g->type, g->type, g->type, g->type);
	for (unsigned i = 0; i < count; i++) {
		const struct graph_member *m = &members[i];

		if (!m->filterable)
			continue;
		if (m->kind == GRAPH_LIST)
			buf_puts(b, "  \"\"\"At least one of them.\"\"\"\n");
		buf_printf(b, "  %s: ", m->name);
		if (m->kind == GRAPH_FIELD)
			put_scalar(b, m->scalar, m->values);
		else
			buf_puts(b, m->target->type);
		buf_puts(b, m->kind == GRAPH_FIELD ? "Filter\n" : "Filters\n");
	}
	buf_puts(b, "}\n\n");
}

static void
put_sort(struct buf *b, const struct graph *g,
    const struct graph_member *members, unsigned count)
{
	char name[GRAPH_NAME_MAX];

	buf_printf(b, "enum %sSortField {\n", g->type);
	for (unsigned i = 0; i < count; i++) {
		if (!members[i].sortable)
			continue;
		graph_capitals(members[i].name, name);
		buf_printf(b, "  %s\n", name);
	}
	buf_printf(b,
	    "}\n\ninput %sSort {\n  field: %sSortField!\n"
	    "  order: SortOrder = ASC\n}\n\n",
	    g->type, g->type);
}

/* --- objects -------------------------------------------------------------- */

static void
put_list_arguments(struct buf *b, const struct graph *g, bool connection)
{
	buf_printf(b,
	    "filters: %sFilters, sort: [%sSort!], first: Int, after: String",
	    g->type, g->type);
	if (!connection)
		buf_puts(b, ", limit: Int, offset: Int");
}

static void
put_member(struct buf *b, const struct graph_member *m)
{
	graph_sdl_describe(b, "  ", m->description);
	buf_printf(b, "  %s", m->name);
	switch (m->kind) {
	case GRAPH_FIELD:
		buf_puts(b, ": ");
		put_scalar(b, m->scalar, m->values);
		break;
	case GRAPH_ONE:
		buf_printf(b, ": %s", m->target->type);
		break;
	case GRAPH_LIST:
		buf_putc(b, '(');
		put_list_arguments(b, m->target, false);
		buf_printf(b, "): [%s!]", m->target->type);
		break;
	case GRAPH_CONNECTION:
		buf_putc(b, '(');
		put_list_arguments(b, m->target, true);
		buf_printf(b, "): %sConnection", m->target->type);
		break;
	}
	buf_puts(b, m->not_null || m->kind >= GRAPH_LIST ? "!\n" : "\n");
}

static void
put_connection(struct buf *b, const char *type)
{
	buf_printf(b,
	    "type %sEdge {\n  node: %s!\n"
	    "  \"\"\"For `after`: the page behind it.\"\"\"\n"
	    "  cursor: String!\n}\n\n"
	    "type %sConnection {\n  edges: [%sEdge!]!\n"
	    "  \"\"\"The nodes of the edges.\"\"\"\n  nodes: [%s!]!\n"
	    "  pageInfo: PageInfo!\n"
	    "  \"\"\"How many there are on all pages; counted only where it "
	    "is asked for.\"\"\"\n  totalCount: Int!\n}\n\n",
	    type, type, type, type, type);
}

static void
put_enums(struct buf *b, const struct graph *g,
    const struct graph_member *members, unsigned count)
{
	char name[GRAPH_NAME_MAX], value[GRAPH_NAME_MAX];
	char camel[GRAPH_NAME_MAX];

	for (unsigned i = 0; i < count; i++) {
		const struct graph_member *m = &members[i];
		size_t len = strlen(g->type);

		if (m->scalar != GRAPH_ENUM)
			continue;
		graph_enum_name(m->values, name);
		/* Only by the one that gave it its name. */
		if (strncmp(name, g->type, len) != 0 ||
		    strcasecmp(name + len, m->name) != 0)
			continue;
		buf_printf(b, "enum %s {\n", name);
		for (const char *const *v = m->values; *v != NULL; v++) {
			graph_camel(*v, camel);
			graph_capitals(camel, value);
			buf_printf(b, "  %s\n", value);
		}
		buf_puts(b, "}\n\n");
		put_operators(b, name, false, false, true);
	}
}

static void
put_type(struct buf *b, const struct graph *g)
{
	struct graph_member members[GRAPH_MEMBERS_MAX];
	unsigned count = graph_members(g, members);

	graph_sdl_describe(b, "", g->resource->description);
	buf_printf(b, "type %s {\n", g->type);
	for (unsigned i = 0; i < count; i++)
		put_member(b, &members[i]);
	buf_puts(b, "}\n\n");
	put_connection(b, g->type);
	put_enums(b, g, members, count);
	put_filters(b, g, members, count);
	put_sort(b, g, members, count);
}

/* --- Query ---------------------------------------------------------------- */

static void
put_owner(struct buf *b, const struct graph *g)
{
	const char *owner =
	    g->owner != NULL ? g->owner : graph_optional_owner(g);
	char name[GRAPH_NAME_MAX];

	if (owner == NULL)
		return;
	graph_camel(owner, name);
	buf_printf(b, "%sId: ID%s, ", name, g->owner != NULL ? "!" : "");
}

static void
put_query(struct buf *b)
{
	const struct graph *g;

	buf_puts(b, "type Query {\n");
	for (g = graph_table; g->resource != NULL; g++) {
		if (g->one != NULL)
			buf_printf(b, "  %s(id: ID!): %s\n", g->one, g->type);
		if (g->many == NULL)
			continue;
		buf_printf(b, "  %s(", g->many);
		put_owner(b, g);
		put_list_arguments(b, g, false);
		buf_printf(b, "): [%s!]!\n  %sConnection(", g->type, g->many);
		put_owner(b, g);
		put_list_arguments(b, g, true);
		buf_printf(b, "): %sConnection!\n", g->type);
	}
	if (graph_of("users") != NULL)
		buf_puts(b, "  \"\"\"Whose credentials these are.\"\"\"\n"
			    "  currentUser: User\n");
	buf_puts(b, "}\n\n");
}

static const char subscription[] =
    "\ntype Subscription {\n"
    "  \"\"\"\n  An execution whenever its state changes; completes when it "
    "has "
    "ended.\n  since: a time of an earlier answer (extensions.since): begins "
    "with what is true now.\n  \"\"\"\n"
    "  executionUpdated(executionId: ID!, since: DateTime): Execution\n"
    "  \"\"\"\n  Each node of an execution whenever its state changes; "
    "completes "
    "when the execution has ended.\n  since: begins with the nodes that "
    "changed at that time or later.\n  \"\"\"\n"
    "  nodeExecutionUpdated(executionId: ID!, since: DateTime): "
    "NodeExecution\n}\n";

void
graph_sdl_write(struct buf *b)
{
	buf_puts(b, head);
	put_scalar_filters(b);
	for (const struct graph *g = graph_table; g->resource != NULL; g++)
		put_type(b, g);
	put_query(b);
	graph_mutation_sdl(b);
	buf_puts(b, subscription);
}
