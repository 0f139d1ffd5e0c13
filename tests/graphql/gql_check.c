/* gql_check - asks the engine what tests ask the reference implementation too.
 *
 * Protocol: requests on stdin, each "COMMAND LENGTH\n" and LENGTH bytes; for
 * each one line of JSON on stdout, flushed, in the same order. So the bytes may
 * be anything, also NUL and what is not UTF-8. At the end of stdin it ends.
 *
 * parse    the bytes are a document
 *          {"ok":true,"tokens":N,"selections":N}
 * print    {"ok":true,"text":"the document in canonical form"}
 *
 * schema   the bytes are the schema of the commands below
 *          {"ok":true}
 * validate the bytes are a document
 *          {"ok":true}
 * introspect  the bytes are a document whose first field is __schema
 *          {"ok":true,"schema":…}
 *
 * A fault is {"ok":false,"errors":[{"code":"…","message":"…",
 * "locations":[{"line":N,"column":N}]}]}. A command that doesn't exist ends the
 * program with 2.
 *
 * A new command is a function and a row of the table at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "dag/json.h"
#include "graphql/introspect.h"
#include "graphql/print.h"
#include "graphql/validate.h"

struct request {
	const char *text;
	size_t len;
	struct mem *m;
	struct buf *out;
};

/* Answers ----------------------------------------------------------------- */

static void
put_error(struct buf *out, const char *code, const char *message,
    const struct gql_place *places, uint32_t count)
{
	buf_printf(out, "{\"code\":\"%s\",\"message\":", code);
	json_write_string(out, message, strlen(message));
	buf_puts(out, ",\"locations\":[");
	for (uint32_t i = 0; i < count; i++)
		buf_printf(out, "%s{\"line\":%u,\"column\":%u}",
		    i > 0 ? "," : "", places[i].line, places[i].column);
	buf_puts(out, "]}");
}

static void
put_fault(struct buf *out, const struct gql_error *e)
{
	buf_puts(out, "{\"ok\":false,\"errors\":[");
	put_error(out, e->code, e->message, &e->at, e->at.line > 0);
	buf_puts(out, "]}");
}

/* NULL: the answer is given. */
static struct gql_document *
parsed(const struct request *r)
{
	static const struct gql_limits large = {
	    .bytes = 1u << 28, .tokens = 1u << 24, .fields = 1u << 24};
	struct gql_document *d;
	struct gql_error e;

	if (gql_parse(r->m, r->text, r->len, &large, &d, &e) == 0)
		return d;
	put_fault(r->out, &e);
	return NULL;
}

/* Commands ---------------------------------------------------------------- */

static void
answer_parse(const struct request *r)
{
	const struct gql_document *d = parsed(r);

	if (d != NULL)
		buf_printf(r->out,
		    "{\"ok\":true,\"tokens\":%u,\"selections\":%u}", d->tokens,
		    d->selections);
}

static void
answer_print(const struct request *r)
{
	const struct gql_document *d = parsed(r);
	struct buf text;

	if (d == NULL)
		return;
	buf_create(&text, 0);
	gql_print(&text, d);
	buf_puts(r->out, "{\"ok\":true,\"text\":");
	json_write_string(r->out, text.data, text.len);
	buf_putc(r->out, '}');
	buf_free(&text);
}

/* What schema was told last; it outlives the requests. */
static struct {
	struct mem mem;
	struct gql_schema *schema;
} told;

static void
put_faults(struct buf *out, const struct gql_faults *faults)
{
	buf_puts(out, "{\"ok\":false,\"errors\":[");
	for (const struct gql_fault *f = faults->first; f != NULL;
	     f = f->next) {
		if (f != faults->first)
			buf_putc(out, ',');
		put_error(out, f->code, f->message, f->places, f->place_count);
	}
	buf_puts(out, "]}");
}

static void
answer_schema(const struct request *r)
{
	struct gql_document *d;
	struct gql_faults faults;
	struct gql_error e;
	char *text;

	mem_reset(&told.mem);
	told.schema = NULL;
	text = mem_strndup(&told.mem, r->text, r->len);
	gql_faults_create(&faults, &told.mem, 0);
	if (gql_parse(&told.mem, text, r->len, NULL, &d, &e) != 0)
		put_fault(r->out, &e);
	else if (gql_schema_build(&told.mem, d, &told.schema, &faults) != 0)
		put_faults(r->out, &faults);
	else
		buf_puts(r->out, "{\"ok\":true}");
}

static void
answer_validate(const struct request *r)
{
	const struct gql_document *d = parsed(r);
	struct gql_faults faults;

	if (d == NULL)
		return;
	gql_faults_create(&faults, r->m, 0);
	if (gql_validate(told.schema, d, &faults) != 0)
		put_faults(r->out, &faults);
	else
		buf_puts(r->out, "{\"ok\":true}");
}

static void
answer_introspect(const struct request *r)
{
	const struct gql_document *d = parsed(r);
	struct gql_introspection in = {.string = NULL};
	struct gql_collected *fields;
	struct gql_collector c;
	struct gql_error e;

	if (d == NULL)
		return;
	in.collector = &c;
	buf_puts(r->out, "{\"ok\":true,\"schema\":");
	if (gql_collector_create(&c, r->m, told.schema, d, NULL, NULL) != 0 ||
	    gql_collect(&c, told.schema->roots[GQL_QUERY], d->definitions->set,
		&fields) != 0 ||
	    gql_introspect(&in, fields, r->out, &e) != 0)
		exit(2);
	buf_putc(r->out, '}');
}

static const struct command {
	const char *name;
	void (*answer)(const struct request *);
} commands[] = {
    {"parse", answer_parse},
    {"print", answer_print},
    {"schema", answer_schema},
    {"validate", answer_validate},
    {"introspect", answer_introspect},
};

static const struct command *
command_named(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	fprintf(stderr, "gql_check: no command %s\n", name);
	exit(2);
}

/* The bytes of a request in memory of exactly their size, so that a sanitizer
 * sees who reads beyond. */
static char *
read_bytes(size_t len)
{
	char *text = malloc(len > 0 ? len : 1);

	if (text == NULL || fread(text, 1, len, stdin) != len) {
		fprintf(stderr, "gql_check: the request is cut\n");
		exit(2);
	}
	return text;
}

int
main(void)
{
	struct mem m;
	struct buf out;
	char name[33];
	size_t len;

	mem_create(&m, 0);
	mem_create(&told.mem, 0);
	buf_create(&out, 0);
	while (scanf("%32s %zu", name, &len) == 2 && getchar() == '\n') {
		char *text = read_bytes(len);
		struct request r = {
		    .text = text, .len = len, .m = &m, .out = &out};

		command_named(name)->answer(&r);
		buf_putc(&out, '\n');
		fwrite(out.data, 1, out.len, stdout);
		fflush(stdout);
		buf_reset(&out);
		mem_reset(&m);
		free(text);
	}
	buf_free(&out);
	mem_destroy(&told.mem);
	mem_destroy(&m);
	return 0;
}
