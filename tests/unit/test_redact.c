/* test_redact.c - values, their encoded forms, and texts without them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "exec/redact.h"

static const struct uuid nobody;
static struct mem mem;

static struct secret_set *
set_of(const char *const *values)
{
	uint32_t count = 0;
	struct secret_set *s;

	while (values[count] != NULL)
		count++;
	s = calloc(1, sizeof(*s) + count * sizeof(s->values[0]));
	assert_non_null(s);
	s->refs = 1;
	s->count = count;
	for (uint32_t i = 0; i < count; i++)
		s->values[i] = secret_value_new(&nobody, "NAME", SECRET_KNOWN,
		    values[i], strlen(values[i]));
	return s;
}

#define SET(...) set_of((const char *const[]){__VA_ARGS__, NULL})

static void
assert_text(struct secret_set *set, unsigned cut, const char *text,
    const char *expected)
{
	const char *out = text;
	size_t len = strlen(text);
	enum redact_result r =
	    redact_text(set, &mem, text, len, cut, &out, &len);

	assert_int_not_equal(r, REDACT_MEMORY);
	assert_int_equal(r == REDACT_DONE, strcmp(text, expected) != 0);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, expected, len);
}

static void
assert_json(struct secret_set *set, const char *text, const char *expected)
{
	const char *out = text;
	size_t len = strlen(text);

	assert_int_not_equal(
	    redact_json(set, &mem, text, len, &out, &len), REDACT_MEMORY);
	if (len != strlen(expected) || memcmp(out, expected, len) != 0)
		fail_msg("%.*s is not %s", (int)len, out, expected);
}

static void
a_value_is_found_wherever_it_stands(void **state)
{
	struct secret_set *s = SET("hunter22");

	(void)state;
	assert_text(s, 0, "hunter22", "***");
	assert_text(s, 0, "a hunter22, b hunter22hunter22", "a ***, b ***");
	assert_text(s, 0, "hunter2", "hunter2");
	assert_text(s, 0, "hunterhunter22", "hunter***");
	assert_text(s, 0, "", "");
	secret_set_unref(s);
}

static void
overlapping_values_become_one(void **state)
{
	struct secret_set *s = SET("abcdef", "defghi", "aaaa");

	(void)state;
	assert_text(s, 0, "<abcdefghi>", "<***>");
	assert_text(s, 0, "aaaaaaaaa", "***");
	assert_text(s, 0, "xaaaabcdefz", "x***z");
	secret_set_unref(s);
	s = SET("secret", "mysecretvalue");
	assert_text(s, 0, "mysecretvalue secret", "*** ***");
	secret_set_unref(s);
}

static void
older_values_of_the_run_count(void **state)
{
	struct secret_set *s = SET("newer-value");

	(void)state;
	s->older = SET("older-value");
	assert_text(s, 0, "older-value newer-value", "*** ***");
	secret_set_unref(s);
}

static void
short_values_are_left_alone(void **state)
{
	struct secret_set *s = SET("abc");

	(void)state;
	assert_text(s, 0, "abc YWJj", "abc YWJj");
	assert_json(s, "[\"abc\"]", "[\"abc\"]");
	secret_set_unref(s);
}

static void
encoded_forms_are_found(void **state)
{
	struct secret_set *s = SET("p\"ss w/rd\n\xc3\xa9+%");

	(void)state;
	assert_text(s, 0, "x=p%22ss%20w%2Frd%0a%C3%a9%2B%25&y=1", "x=***&y=1");
	assert_text(s, 0, "x=p%22ss+w%2Frd%0A%c3%A9%2B%25&y=1", "x=***&y=1");
	assert_text(
	    s, 0, "{\"a\":\"p\\\"ss w\\/rd\\n\\u00e9+%\"}", "{\"a\":\"***\"}");
	assert_text(s, 0, "p\\u0022ss w/rd\\u000a\xc3\xa9+%.", "***.");
	secret_set_unref(s);
	s = SET("smile \xf0\x9f\x98\x80");
	assert_text(s, 0, "\"smile \\ud83d\\ude00\"", "\"***\"");
	secret_set_unref(s);
}

static void
base64_is_found_at_every_alignment(void **state)
{
	const char *value = "s3cr3t?>~value!";
	struct secret_set *s = SET(value);
	char plain[64], coded[128];
	const char *out;
	size_t len;

	(void)state;
	for (int before = 0; before < 7; before++)
		for (int after = 0; after < 4; after++) {
			int n = snprintf(plain, sizeof(plain), "%.*s%s%.*s",
			    before, "user::::", value, after, "zzzz");

			EVP_EncodeBlock(
			    (unsigned char *)coded, (unsigned char *)plain, n);
			for (int url = 0; url < 2; url++) {
				out = coded;
				assert_int_equal(
				    redact_text(s, &mem, coded, strlen(coded),
					0, &out, &len),
				    REDACT_DONE);
				assert_true(
				    len < (size_t)(before + after) * 2 + 6);
				for (char *c = coded; *c != '\0'; c++)
					*c = *c == '+'	 ? '-'
					     : *c == '/' ? '_'
							 : *c;
			}
		}
	secret_set_unref(s);
}

static void
base64_is_found_over_line_ends(void **state)
{
	struct secret_set *s =
	    SET("a value that is so long that base64 breaks the line");

	(void)state;
	assert_text(s, 0,
	    "YSB2YWx1ZSB0aGF0IGlzIHNvIGxvbmcgdGhhdCBi\n"
	    "YXNlNjQgYnJlYWtzIHRoZSBsaW5l\nend",
	    "***\nend");
	secret_set_unref(s);
}

static void
what_was_cut_off_at_a_border_is_found(void **state)
{
	struct secret_set *s = SET("0123456789");

	(void)state;
	assert_text(s, REDACT_CUT_START, "456789 rest", "*** rest");
	assert_text(s, REDACT_WHOLE, "456789 rest", "456789 rest");
	assert_text(s, REDACT_CUT_START, "789 rest", "789 rest");
	assert_text(s, REDACT_CUT_END, "it was 01234", "it was ***");
	assert_text(s, REDACT_CUT_END, "it was 012", "it was 012");
	assert_text(s, REDACT_CUT_START | REDACT_CUT_END, "3456789", "***");
	secret_set_unref(s);
}

static void
json_stays_json(void **state)
{
	struct secret_set *s = SET("12345", "quo\"te", "true");

	(void)state;
	assert_json(s, "{\"n\":912345,\"f\":1.5,\"ok\":true}",
	    "{\"n\":\"***\",\"f\":1.5,\"ok\":\"***\"}");
	assert_json(s, "[\"a quo\\\"te b\",{\"quo\\\"te\":null}]",
	    "[\"a *** b\",{\"***\":null}]");
	assert_json(s, "\"quo\\u0022te\"", "\"***\"");
	assert_json(s, "[1,2.50,\"x\"]", "[1,2.50,\"x\"]");
	secret_set_unref(s);
}

static void
a_value_that_is_json_is_found_as_json_writes_it(void **state)
{
	struct secret_set *s = SET("{\"user\": \"a\",  \"password\": \"b\"}");

	(void)state;
	assert_json(s, "{\"user\":\"a\",\"password\":\"b\"}", "\"***\"");
	assert_json(
	    s, "{\"x\":{\"user\":\"a\",\"password\":\"b\"}}", "\"***\"");
	secret_set_unref(s);
}

static void
long_texts_made_to_be_slow_take_linear_time(void **state)
{
	size_t n = 1u << 20, k = SECRET_VALUE_MAX, len;
	char *value = malloc(k + 1), *text = malloc(n + 1);
	struct secret_set *s;
	const char *out;

	(void)state;
	memset(value, 'a', k);
	value[k - 1] = 'b';
	value[k] = '\0';
	memset(text, 'a', n);
	text[n] = '\0';
	s = SET(value);
	assert_int_equal(
	    redact_text(s, &mem, text, n, REDACT_CUT_END, &out, &len),
	    REDACT_DONE);
	assert_int_equal(len, n - (k - 1) + 3);
	secret_set_unref(s);
	free(value);
	free(text);
}

static void
without_memory_nothing_is_shown(void **state)
{
	struct secret_set *s = SET("hunter22");
	const char *text = "{\"a\":\"hunter22 %20 \\u0020 + \\n\"}",
		   *out = NULL;
	enum redact_result r = REDACT_MEMORY;
	size_t len = 0;

	(void)state;
	for (long n = 0; r == REDACT_MEMORY; n++) {
		struct mem m;

		mem_create(&m, 0);
		mem_fail_after(n);
		r = redact_json(s, &m, text, strlen(text), &out, &len);
		mem_fail_after(-1);
		assert_int_not_equal(r, REDACT_CLEAN);
		if (r == REDACT_DONE)
			assert_null(memmem(out, len, "hunter22", 8));
		mem_destroy(&m);
		assert_true(n < 1000);
	}
	secret_set_unref(s);
}

static int
begin(void **state)
{
	(void)state;
	mem_create(&mem, 0);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	mem_destroy(&mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_found_wherever_it_stands),
	    cmocka_unit_test(overlapping_values_become_one),
	    cmocka_unit_test(older_values_of_the_run_count),
	    cmocka_unit_test(short_values_are_left_alone),
	    cmocka_unit_test(encoded_forms_are_found),
	    cmocka_unit_test(base64_is_found_at_every_alignment),
	    cmocka_unit_test(base64_is_found_over_line_ends),
	    cmocka_unit_test(what_was_cut_off_at_a_border_is_found),
	    cmocka_unit_test(json_stays_json),
	    cmocka_unit_test(a_value_that_is_json_is_found_as_json_writes_it),
	    cmocka_unit_test(long_texts_made_to_be_slow_take_linear_time),
	    cmocka_unit_test(without_memory_nothing_is_shown),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
