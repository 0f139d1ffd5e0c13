/* graph_mutation_sdl.c - type Mutation and its inputs, in SDL.
 */
#include <string.h>

#include "web/graph.h"
#include "web/graph_mutation.h"

/* What an attribute is given as, without "!". */
static void
put_input_type(struct buf *b, const struct field *f)
{
	char name[GRAPH_NAME_MAX];

	switch (f->type) {
	case FIELD_TEXT:
		buf_puts(b, "String");
		return;
	case FIELD_ENUM:
		graph_enum_name(f->values, name);
		buf_puts(b, name);
		return;
	case FIELD_UUID:
		buf_puts(b, "UUID");
		return;
	case FIELD_INTEGER:
		buf_puts(b, "Int");
		return;
	case FIELD_NUMBER:
		buf_puts(b, "Float");
		return;
	case FIELD_BOOLEAN:
		buf_puts(b, "Boolean");
		return;
	case FIELD_TIME:
		buf_puts(b, "DateTime");
		return;
	case FIELD_LIST:
		buf_puts(b, "[JSON!]");
		return;
	case FIELD_JSON:
	case FIELD_VALUE:
		buf_puts(b, "JSON");
		return;
	}
}

static void
put_input(struct buf *b, const struct graph_mutation *m)
{
	const struct field *f = resource_find(m->body)->fields;
	char name[GRAPH_NAME_MAX];

	buf_printf(b, "input %s {\n", m->input);
	for (; f->name != NULL; f++) {
		if (!(f->flags & m->flag))
			continue;
		graph_sdl_describe(b, "  ", f->description);
		graph_camel(f->name, name);
		buf_printf(b, "  %s: ", name);
		put_input_type(b, f);
		buf_puts(b, m->flag == FIELD_CREATE && f->flags & FIELD_REQUIRED
				? "!\n"
				: "\n");
	}
	buf_puts(b, "}\n\n");
}

static void
put_arguments(struct buf *b, const struct graph_mutation *m)
{
	const struct graph_argument *a = m->arguments;

	if (a == NULL || a->name == NULL)
		return;
	buf_puts(b, "(\n");
	for (; a->name != NULL; a++) {
		graph_sdl_describe(b, "    ", a->description);
		buf_printf(b, "    %s: ", a->name);
		if (a->place == PLACE_INPUT)
			buf_printf(b, "%s!\n", m->input);
		else
			buf_printf(b, "%s\n", a->type);
	}
	buf_puts(b, "  )");
}

static const char others[] =
    "\"\"\"Which nodes run again.\"\"\"\n"
    "enum RerunFrom {\n"
    "  \"\"\"Those that did not succeed, with all that depend on "
    "them.\"\"\"\n"
    "  FAILED\n}\n\n";

void
graph_mutation_sdl(struct buf *b)
{
	const struct graph_mutation *m;

	buf_puts(b, others);
	for (m = graph_mutations; m->name != NULL; m++)
		if (m->input != NULL)
			put_input(b, m);
	buf_puts(b, "type Mutation {\n");
	for (m = graph_mutations; m->name != NULL; m++) {
		graph_sdl_describe(b, "  ", m->description);
		buf_printf(b, "  %s", m->name);
		put_arguments(b, m);
		buf_printf(
		    b, ": %s\n", m->result == NULL ? "Boolean" : m->result);
	}
	buf_puts(b, "}\n");
}
