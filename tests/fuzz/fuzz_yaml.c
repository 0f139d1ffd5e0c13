/* fuzz_yaml.c - what yaml_parse takes, is a JSON value that can be written and
 * read back; every error has its place. */
#include "fuzz.h"

#include <string.h>

#include "dag/yaml.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct json *v = NULL, *again = NULL;
	struct mem m;
	struct err e;
	struct buf b;

	mem_create(&m, 0);
	buf_create(&b, 0);
	err_clear(&e);
	if (yaml_parse(&m, (const char *)data, size, NULL, &v, &e) == 0) {
		json_write(&b, v);
		MUST(json_parse(&m, b.data, b.len, NULL, &again, &e) == 0);
		MUST(json_equal(v, again));
	} else {
		MUST(e.code != NULL && e.line > 0 && e.column > 0);
	}
	buf_free(&b);
	mem_destroy(&m);
	return 0;
}
