/* fuzz_graphql_request.c - any body, parameters and headers are a request of
 * GraphQL or are answered: never both, never neither.
 *
 * Input: lines of method, Accept, Content-Type; then the body, or the parameters
 * query, variables, extensions and operationName, a line each.
 */
#include "fuzz.h"

#include <stdarg.h>
#include <string.h>

#include "graphql/http_request.c"
#include "graphql/persisted.c"

struct flow {
	struct mem mem;
	const char *lines[8];
	const char *body;
	size_t body_len;
	int status; /* answered */
};

static struct config config;

const struct config *
flow_config(void)
{
	return &config;
}

struct mem *
flow_mem(struct flow *f)
{
	return &f->mem;
}

const char *
flow_method(struct flow *f)
{
	return strcmp(f->lines[0], "GET") == 0 ? "GET" : "POST";
}

const char *
flow_header(struct flow *f, const char *name)
{
	const char *v = f->lines[strcmp(name, "accept") == 0 ? 1 : 2];

	return *v == '\0' ? NULL : v;
}

const char *
flow_parameter(struct flow *f, const char *name)
{
	static const char *const names[] = {
	    "query", "variables", "extensions", "operationName"};

	for (unsigned i = 0; i < 4; i++)
		if (strcmp(names[i], name) == 0)
			return f->lines[3 + i];
	return NULL;
}

enum flow_next
flow_fail(
    struct flow *f, int status, const char *code, const char *detail_fmt, ...)
{
	char detail[ERR_MESSAGE_MAX];
	va_list ap;

	MUST(f->status == 0 && *code != '\0');
	f->status = status;
	va_start(ap, detail_fmt);
	vsnprintf(detail, sizeof(detail), detail_fmt, ap);
	va_end(ap);
	return FLOW_DONE;
}

const struct json *
flow_json(struct flow *f)
{
	const struct json *root;
	struct err e;

	if (json_parse(&f->mem, f->body, f->body_len, NULL, &root, &e) == 0)
		return root;
	flow_fail(f, 400, "invalid_json", "%s", e.message);
	return NULL;
}

static void
split(struct flow *f, const uint8_t *data, size_t size)
{
	char *text = mem_strndup(&f->mem, (const char *)data, size), *at = text;

	for (unsigned i = 0; i < 8; i++) {
		char *end = strchr(at, '\n');

		if (i == 3) {
			f->body = mem_strndup(&f->mem,
			    (const char *)data + (at - text),
			    size - (size_t)(at - text));
			f->body_len = size - (size_t)(at - text);
		}
		f->lines[i] = at;
		if (end == NULL)
			at += strlen(at);
		else
			*end = '\0', at = end + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct execution x = {.text = NULL};
	struct flow f = {.status = 0};
	enum flow_next next;
	enum media media;

	mem_create(&f.mem, 0);
	split(&f, data, size);
	config.graphql_status_codes =
	    size & 1 ? STATUS_CODES_DRAFT : STATUS_CODES_AUDITS;
	media = http_media(flow_header(&f, "accept"));
	MUST(media == MEDIA_NONE || media == MEDIA_JSON ||
	     media == MEDIA_GRAPHQL);
	next = http_read(&f, &x);
	if (next == FLOW_NEXT)
		next = persisted_find(&f, &x);
	MUST(next == (f.status == 0 ? FLOW_NEXT : FLOW_DONE));
	MUST(f.status == 0 || f.status == 400 || f.status == 415 ||
	     (f.status == 422 && http_draft(&f)));
	if (next == FLOW_NEXT) {
		MUST(x.variables == NULL || x.variables->type == JSON_OBJECT);
		MUST(x.extensions == NULL || x.extensions->type == JSON_OBJECT);
		MUST(x.text == NULL || x.text[x.len] == '\0');
		MUST(x.text == NULL || !x.hash_given);
	}
	persisted_free();
	mem_destroy(&f.mem);
	return 0;
}
