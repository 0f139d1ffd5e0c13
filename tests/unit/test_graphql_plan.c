/* What the schema, durations and PostgreSQL's binary values become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graphql/wire.h"

static const char *
json_of(enum graph_scalar scalar, const void *bytes, int32_t len)
{
	static char text[200];
	struct wire w = {bytes, len};
	struct buf b;

	buf_create(&b, 0);
	text[0] = '\0';
	if (wire_json(&b, scalar, &w) && b.len < sizeof(text))
		snprintf(text, sizeof(text), "%.*s", (int)b.len, b.data);
	buf_free(&b);
	return text;
}

static void
binary_values_become_the_json_that_rest_shows(void **state)
{
	(void)state;
	assert_string_equal(json_of(GRAPH_INT, "\xff\xff\xff\xfe", 4), "-2");
	assert_string_equal(json_of(GRAPH_BOOLEAN, "\1", 1), "true");
	assert_string_equal(json_of(GRAPH_ENUM, "in-doubt", 8), "\"IN_DOUBT\"");
	assert_string_equal(
	    json_of(GRAPH_JSON, "\1{\"a\": 1}", 9), "{\"a\": 1}");
	assert_string_equal(json_of(GRAPH_DATETIME, "\0\0\0\0\0\0\0\0", 8),
	    "\"2000-01-01T00:00:00Z\"");
	assert_string_equal(
	    json_of(GRAPH_DATETIME, "\0\0\0\0\0\x16\xe3\x60", 8),
	    "\"2000-01-01T00:00:01.5Z\"");
	/* 12345.670: digits 1 2345 6700, weight 1, scale 3 */
	assert_string_equal(
	    json_of(GRAPH_FLOAT, "\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x2c", 14),
	    "12345.670");
	assert_string_equal(
	    json_of(GRAPH_DURATION, "\0\3\0\1\0\0\0\3\0\1\x09\x29\x1a\x2c", 14),
	    "\"PT12.34567S\"");
	assert_string_equal(json_of(GRAPH_FLOAT, "\0\0\0\0\0\0\0\0", 8), "0");
	assert_string_equal(
	    json_of(GRAPH_FLOAT, "\0\1\xff\xff\x40\0\0\2\x13\x88", 10),
	    "-0.50");
}

static void
values_that_are_cut_short_are_refused(void **state)
{
	static const uint8_t array[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 0,
	    0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0xff, 0xff, 0xff,
	    0xff};
	struct wire item;
	struct wire_list list;
	int64_t n;

	(void)state;
	for (int32_t len = 0; len <= (int32_t)sizeof(array); len++) {
		struct wire w = {array, len};
		unsigned count = 0;

		if (!wire_array(&w, &list))
			continue;
		while (list.left > 0 && wire_array_next(&list, &item))
			count++;
		assert_true(count <= 2);
		assert_int_equal(count == 2, len == (int32_t)sizeof(array));
	}
	assert_false(wire_integer(&(struct wire){array, 3}, &n));
	for (int32_t len = 0; len < 10; len++)
		assert_string_equal(
		    json_of(GRAPH_FLOAT, "\0\2\0\0\0\0\0\0\0\1", len), "null");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(binary_values_become_the_json_that_rest_shows),
	    cmocka_unit_test(values_that_are_cut_short_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
