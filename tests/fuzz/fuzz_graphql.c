/* fuzz_graphql.c - any bytes are a document or a fault with its place; what was
 * read prints in a form that reads back and prints the same. The first byte
 * picks limits. */
#include "fuzz.h"

#include <string.h>

#include "base/utf8.h"
#include "graphql/lexer.h"
#include "graphql/print.h"

static const struct gql_limits tight = {
    .bytes = 4096, .tokens = 200, .depth = 8, .fields = 40, .aliases = 4};
static const struct gql_limits loose = {.depth = GQL_DEPTH_MAX,
    .fields = 1u << 20,
    .tokens = 1u << 20,
    .aliases = 1u << 20};

static void
check_round_trip(struct mem *m, const struct gql_document *d)
{
	struct gql_document *again;
	struct gql_error e = {0};
	struct buf b, c;

	buf_create(&b, 0);
	buf_create(&c, 0);
	gql_print(&b, d);
	MUST(utf8_valid(b.data, b.len) == b.len);
	MUST(gql_parse(m, b.data, b.len, &loose, &again, &e) == 0);
	MUST(again->selections == d->selections && again->count == d->count);
	gql_print(&c, again);
	MUST(b.len == c.len && memcmp(b.data, c.data, b.len) == 0);
	buf_free(&b);
	buf_free(&c);
}

/* Is there such a line, and a column in it (or just behind it)? */
static void
check_place(const char *text, size_t len, struct gql_place at)
{
	for (size_t i = 0; i <= len; i++) {
		struct gql_place here = gql_place_at(text, i);

		if (here.line == at.line && here.column == at.column)
			return;
	}
	MUST(!"the place is in the text");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct gql_document *d = NULL;
	struct gql_error e = {0};
	struct mem m;

	if (size == 0)
		return 0;
	mem_create(&m, 0);
	if (gql_parse(&m, text, size - 1, data[0] & 1 ? &tight : &loose, &d,
		&e) == 0) {
		MUST(d->tokens > 0 && d->definitions != NULL);
		check_round_trip(&m, d);
	} else {
		MUST(e.code != NULL && strlen(e.message) > 0);
		MUST(utf8_valid(e.message, strlen(e.message)) ==
		     strlen(e.message));
		if (size < 600)
			check_place(text, size - 1, e.at);
	}
	mem_destroy(&m);
	return 0;
}
