/* mutation.c - arguments become the path, the headers and the JSON:API document
 * of a route.
 */
#include "graphql/mutation.h"

#include <ctype.h>
#include <string.h>

#include "web/graph.h"

struct writer {
	struct mem *mem;
	const struct json *variables;
	struct buf *b;
};

/* --- values --------------------------------------------------------------- */

/* insertedAt → inserted_at */
static void
put_snake(struct buf *b, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (isupper((unsigned char)name[i]))
			buf_putc(b, '_');
		buf_putc(b, (char)tolower((unsigned char)name[i]));
	}
}

static void put_literal(struct writer *, const struct gql_value *);

static void
put_variable(struct writer *w, const struct gql_value *v)
{
	struct plan_input in = input_of(w->mem, w->variables, v);

	if (in.json == NULL)
		buf_puts(w->b, "null");
	else
		json_write(w->b, in.json);
}

static void
put_object(struct writer *w, const struct gql_value *v)
{
	const struct gql_object_field *f = v->fields;

	buf_putc(w->b, '{');
	for (; f != NULL; f = f->next) {
		json_write_string(w->b, f->name.s, f->name.len);
		buf_putc(w->b, ':');
		put_literal(w, f->value);
		if (f->next != NULL)
			buf_putc(w->b, ',');
	}
	buf_putc(w->b, '}');
}

static void
put_list(struct writer *w, const struct gql_value *v)
{
	const struct gql_value *item = v->items;

	buf_putc(w->b, '[');
	for (; item != NULL; item = item->next) {
		put_literal(w, item);
		if (item->next != NULL)
			buf_putc(w->b, ',');
	}
	buf_putc(w->b, ']');
}

/* A literal as JSON, whatever its type: of scalar JSON. */
static void
put_literal(struct writer *w, const struct gql_value *v)
{
	switch (v->kind) {
	case GQL_VALUE_VARIABLE:
		put_variable(w, v);
		break;
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
		buf_put(w->b, v->text, v->len);
		break;
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
	case GQL_VALUE_ENUM:
		json_write_string(w->b, v->text, v->len);
		break;
	case GQL_VALUE_BOOLEAN:
		buf_puts(w->b, v->boolean ? "true" : "false");
		break;
	case GQL_VALUE_NULL:
		buf_puts(w->b, "null");
		break;
	case GQL_VALUE_LIST:
		put_list(w, v);
		break;
	case GQL_VALUE_OBJECT:
		put_object(w, v);
		break;
	}
}

static void
put_raw(struct writer *w, const struct plan_input *in)
{
	if (in->json != NULL)
		json_write(w->b, in->json);
	else
		put_literal(w, in->ast);
}

/* REST's values are in small letters. */
static void
put_enum(struct writer *w, const struct plan_input *in)
{
	size_t len, i;
	const char *text = input_text(w->mem, in, &len);
	char *small = text == NULL ? NULL : mem_strndup(w->mem, text, len);

	for (i = 0; small != NULL && i < len; i++)
		small[i] = (char)tolower((unsigned char)small[i]);
	json_write_string(w->b, small == NULL ? "" : small, len);
}

static void put_value(
    struct writer *, const struct gql_type *, const struct plan_input *);

static void
put_items(
    struct writer *w, const struct gql_type *type, const struct plan_input *in)
{
	unsigned n = input_item_count(in);

	buf_putc(w->b, '[');
	for (unsigned i = 0; i < n; i++) {
		struct plan_input item =
		    input_item(w->mem, w->variables, in, i);

		if (i > 0)
			buf_putc(w->b, ',');
		put_value(w, type, &item);
	}
	buf_putc(w->b, ']');
}

/* The fields of an input object as members; those that are absent are left
 * out. */
static void
put_members(
    struct writer *w, const struct gql_type *type, const struct plan_input *in)
{
	struct input_member m;
	bool first = true;

	buf_putc(w->b, '{');
	for (unsigned i = 0; input_member(w->mem, w->variables, in, i, &m);
	     i++) {
		const struct gql_input *field =
		    gql_type_input(type, m.name, m.len);

		if (field == NULL || !input_given(&m.value))
			continue;
		if (!first)
			buf_putc(w->b, ',');
		first = false;
		buf_putc(w->b, '"');
		put_snake(w->b, m.name, m.len);
		buf_puts(w->b, "\":");
		put_value(w, field->type, &m.value);
	}
	buf_putc(w->b, '}');
}

static void
put_value(
    struct writer *w, const struct gql_type *type, const struct plan_input *in)
{
	type = gql_type_nullable(type);
	if (!input_present(in))
		buf_puts(w->b, "null");
	else if (type->kind == GQL_LIST)
		put_items(w, type->of, in);
	else if (type->kind == GQL_INPUT_OBJECT)
		put_members(w, type, in);
	else if (type->kind == GQL_ENUM)
		put_enum(w, in);
	else
		put_raw(w, in);
}

/* --- the request ---------------------------------------------------------- */

/* What an id may not do: add a segment or a query. */
static void
put_segment(struct buf *b, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (isalnum(c) || c == '-') {
			buf_putc(b, (char)c);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, hex[c >> 4]);
		buf_putc(b, hex[c & 15]);
	}
}

struct request {
	struct writer w;
	const struct gql_collected *field;
	const struct graph_mutation *mutation;
	const struct graph_argument *argument;
	struct plan_input value;
};

/* The next argument of a place that was given; false: no more. */
static bool
next(struct request *r, const struct graph_argument *from,
    enum graph_place place)
{
	for (r->argument = from; r->argument->name != NULL; r->argument++) {
		if (r->argument->place != place)
			continue;
		r->value = input_argument(r->w.mem, r->w.variables,
		    r->field->nodes[0], r->argument->name);
		if (input_given(&r->value))
			return true;
	}
	return false;
}

/* The format has a %s for each. */
static void
put_path(struct request *r)
{
	const struct graph_argument *from = r->mutation->arguments;
	const char *path = r->mutation->path, *at;
	const char *id;
	size_t len;

	while ((at = strstr(path, "%s")) != NULL) {
		buf_put(r->w.b, path, (size_t)(at - path));
		path = at + 2;
		if (!next(r, from, PLACE_PATH))
			continue;
		from = r->argument + 1;
		if ((id = input_text(r->w.mem, &r->value, &len)) != NULL)
			put_segment(r->w.b, id, len);
	}
	buf_puts(r->w.b, path);
}

static const struct gql_type *
type_of(const struct request *r)
{
	const struct gql_input *input = gql_field_arg(
	    r->field->field, r->argument->name, strlen(r->argument->name));

	return input->type;
}

static void
put_attributes(struct request *r)
{
	const struct graph_argument *from = r->mutation->arguments;
	const char *before = "";

	if (next(r, from, PLACE_INPUT)) {
		put_value(&r->w, type_of(r), &r->value);
		return;
	}
	buf_putc(r->w.b, '{');
	while (next(r, from, PLACE_ATTRIBUTE)) {
		buf_printf(r->w.b, "%s\"%s\":", before, r->argument->of);
		put_value(&r->w, type_of(r), &r->value);
		before = ",";
		from = r->argument + 1;
	}
	buf_putc(r->w.b, '}');
}

/* {"dag": {"data": {"type": "dags", "id": …}}} */
static void
put_relations(struct request *r)
{
	const struct resource *resource = resource_find(r->mutation->body);
	const struct graph_argument *from = r->mutation->arguments;
	const char *before = "";

	buf_putc(r->w.b, '{');
	while (next(r, from, PLACE_RELATION)) {
		const struct relation *relation = resource->relations;

		while (strcmp(relation->name, r->argument->of) != 0)
			relation++;
		buf_printf(r->w.b,
		    "%s\"%s\":{\"data\":{\"type\":\"%s\",\"id\":", before,
		    relation->name, relation->type);
		put_raw(&r->w, &r->value);
		buf_puts(r->w.b, "}}");
		before = ",";
		from = r->argument + 1;
	}
	buf_putc(r->w.b, '}');
}

static void
put_body(struct request *r)
{
	bool patch = strcmp(r->mutation->method, "PATCH") == 0;

	buf_printf(r->w.b, "{\"data\":{\"type\":\"%s\"", r->mutation->body);
	if (patch && next(r, r->mutation->arguments, PLACE_PATH)) {
		buf_puts(r->w.b, ",\"id\":");
		put_raw(&r->w, &r->value);
	}
	buf_puts(r->w.b, ",\"attributes\":");
	put_attributes(r);
	if (next(r, r->mutation->arguments, PLACE_RELATION)) {
		buf_puts(r->w.b, ",\"relationships\":");
		put_relations(r);
	}
	buf_puts(r->w.b, "}}");
}

/* What was written, in mem; NULL: memory is out. */
static const char *
keep(struct mem *m, struct buf *b, size_t *len)
{
	const char *text =
	    buf_failed(b) ? NULL : mem_strndup(m, b->data, b->len);

	*len = b->len;
	buf_free(b);
	return text;
}

int
mutation_request(struct mem *m, const struct gql_collected *field,
    const struct json *variables, struct mutation_request *out)
{
	struct buf b;
	struct request r = {.w = {m, variables, &b},
	    .field = field,
	    .mutation = graph_mutation_find(
		field->field->name.s, field->field->name.len)};
	size_t len;

	memset(out, 0, sizeof(*out));
	out->mutation = r.mutation;
	out->method = r.mutation->method;
	buf_create(&b, 0);
	put_path(&r);
	if ((out->path = keep(m, &b, &len)) == NULL)
		return -1;
	if (next(&r, r.mutation->arguments, PLACE_HEADER) &&
	    input_present(&r.value))
		out->idempotency_key = input_text(m, &r.value, &len);
	if (r.mutation->body == NULL)
		return mem_failed(m) ? -1 : 0;
	buf_create(&b, 0);
	put_body(&r);
	out->body = keep(m, &b, &out->body_len);
	return out->body == NULL || mem_failed(m) ? -1 : 0;
}

/* --- faults --------------------------------------------------------------- */

static const char *
argument_of(const struct graph_mutation *mutation, enum graph_place place,
    const char *of, size_t len)
{
	const struct graph_argument *a = mutation->arguments;

	for (; a->name != NULL; a++)
		if (a->place == place &&
		    (of == NULL ||
			(strlen(a->of) == len && memcmp(a->of, of, len) == 0)))
			return a->name;
	return NULL;
}

static const char *
attribute_pointer(
    struct mem *m, const struct graph_mutation *mutation, const char *rest)
{
	const char *input = argument_of(mutation, PLACE_INPUT, NULL, 0), *name;
	size_t len = strcspn(rest, "/");
	char camel[GRAPH_NAME_MAX], snake[GRAPH_NAME_MAX];

	if (input != NULL && len > 0 && len < sizeof(snake)) {
		memcpy(snake, rest, len);
		snake[len] = '\0';
		graph_camel(snake, camel);
		return mem_printf(m, "/%s/%s%s", input, camel, rest + len);
	}
	if (input != NULL)
		return mem_printf(m, "/%s", input);
	name = argument_of(mutation, PLACE_ATTRIBUTE, rest, len);
	return name == NULL ? NULL : mem_printf(m, "/%s%s", name, rest + len);
}

const char *
mutation_pointer(
    struct mem *m, const struct graph_mutation *mutation, const char *pointer)
{
	static const char attributes[] = "/data/attributes",
			  relations[] = "/data/relationships/";
	const char *rest = pointer + sizeof(attributes) - 1, *name;

	if (strncmp(pointer, attributes, sizeof(attributes) - 1) == 0 &&
	    (*rest == '/' || *rest == '\0'))
		return attribute_pointer(m, mutation, rest + (*rest == '/'));
	rest = pointer + sizeof(relations) - 1;
	if (strncmp(pointer, relations, sizeof(relations) - 1) != 0)
		return NULL;
	name = argument_of(mutation, PLACE_RELATION, rest, strcspn(rest, "/"));
	return name == NULL ? NULL : mem_printf(m, "/%s", name);
}
