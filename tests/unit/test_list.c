/* test_list.c - a list's text is cut where its elements begin, whatever they
 * hold; what is no list is refused and nothing beyond the text is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/list.h"

#define MAX 8

/* The elements, each followed by a semicolon. */
static const char *
cut(const char *text)
{
	static char out[256];
	uint32_t starts[MAX + 1];
	uint32_t count = list_split(text, strlen(text), starts, MAX);

	if (count == LIST_BAD)
		return "bad";
	assert_int_equal(list_split(text, strlen(text), NULL, MAX), count);
	out[0] = '\0';
	for (uint32_t i = 0; i < count; i++) {
		strncat(out, text + starts[i], starts[i + 1] - 1 - starts[i]);
		strcat(out, ";");
	}
	return out;
}

static void
elements_are_cut_at_their_own_commas(void **state)
{
	(void)state;
	assert_string_equal(cut("[]"), "");
	assert_string_equal(cut("[1]"), "1;");
	assert_string_equal(cut("[1,\"a\",null]"), "1;\"a\";null;");
	assert_string_equal(cut("[[1,2],{\"a\":[3,4],\"b\":{}}]"),
	    "[1,2];{\"a\":[3,4],\"b\":{}};");
	assert_string_equal(cut("[\",\",\"]\",\"\\\",\\\\\",\"[\"]"),
	    "\",\";\"]\";\"\\\",\\\\\";\"[\";");
	assert_string_equal(cut("[[],[]]"), "[];[];");
}

static void
what_is_no_list_is_refused(void **state)
{
	static const char *const bad[] = {"", "[", "]", "{}", "1", "[1", "1]",
	    "[1]]", "[,1]", "[1,]", "[1][2]", "[\"a]", "[1,2,3,4,5,6,7,8,9]"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(cut(bad[i]), "bad");
}

/* With a sanitizer: the copy has its exact size. */
static void
any_bytes_are_read_within_their_bounds(void **state)
{
	static const char letters[] = "[]{},\"\\1";
	uint32_t starts[MAX + 1];

	(void)state;
	srand(7);
	for (int n = 0; n < 200000; n++) {
		size_t len = (size_t)rand() % 12;
		char *text = malloc(len + 1);
		uint32_t count;

		for (size_t i = 0; i < len; i++)
			text[i] = letters[rand() % 8];
		count = list_split(text, len, starts, MAX);
		for (uint32_t i = 0; count != LIST_BAD && i < count; i++)
			assert_true(
			    starts[i] < starts[i + 1] && starts[i + 1] <= len);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_are_cut_at_their_own_commas),
	    cmocka_unit_test(what_is_no_list_is_refused),
	    cmocka_unit_test(any_bytes_are_read_within_their_bounds),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
