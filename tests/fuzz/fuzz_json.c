/* fuzz_json.c - what json_parse takes, it writes and reads back equal, and its
 * canonical form is its own canonical form. */
#include "fuzz.h"

#include <string.h>

#include "base/utf8.h"
#include "dag/json.h"

static void
check_round_trip(struct mem *m, const struct json *v)
{
	static const struct json_options deep = {.max_depth = 4096};
	const struct json *again;
	struct buf b, c;
	struct err e;

	buf_create(&b, 0);
	buf_create(&c, 0);
	json_write(&b, v);
	MUST(json_parse(m, b.data, b.len, &deep, &again, &e) == 0);
	MUST(json_equal(v, again));
	MUST(utf8_valid(b.data, b.len) == b.len);
	MUST(strlen(b.data) == b.len);
	buf_reset(&b);
	json_write_canonical(&b, v);
	MUST(json_parse(m, b.data, b.len, &deep, &again, &e) == 0);
	json_write_canonical(&c, again);
	MUST(b.len == c.len && memcmp(b.data, c.data, b.len) == 0);
	buf_free(&b);
	buf_free(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_options options = {0};
	const struct json *v = NULL;
	struct mem m;
	struct err e;

	if (size == 0)
		return 0;
	options.replace_bad_text = data[0] & 1;
	options.allow_duplicates = data[0] & 2;
	options.max_depth = data[0] & 4 ? 1000 : 0;
	mem_create(&m, 0);
	err_clear(&e);
	if (json_parse(
		&m, (const char *)data + 1, size - 1, &options, &v, &e) == 0)
		check_round_trip(&m, v);
	else
		MUST(e.code != NULL && e.line > 0 && e.column > 0);
	mem_destroy(&m);
	return 0;
}
