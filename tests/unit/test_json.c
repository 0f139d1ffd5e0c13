/* test_json.c - reading and writing JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag/json.h"
#include "mem_fixture.h"

static const struct json *
parse(const char *text)
{
	const struct json *v = NULL;
	struct err e;

	if (json_parse(&m, text, strlen(text), NULL, &v, &e) != 0)
		fail_msg("%s: %u:%u %s", text, e.line, e.column, e.message);
	return v;
}

static const char *
written(const struct json *v, bool canonical)
{
	static char text[65536];
	struct buf b;

	buf_create(&b, sizeof(text) - 1);
	if (canonical)
		json_write_canonical(&b, v);
	else
		json_write(&b, v);
	assert_false(buf_failed(&b));
	strcpy(text, b.data);
	buf_free(&b);
	return text;
}

static void
values_keep_their_type_and_text(void **state)
{
	const char *text = "{\"a\":[1,-0.50,1e3,true,false,null],\"b\":{},"
			   "\"c\":[],\"d\":\"x\"}";
	const struct json *v = parse(text), *a = json_get(v, "a");

	(void)state;
	assert_int_equal(v->type, JSON_OBJECT);
	assert_int_equal(v->count, 4);
	assert_int_equal(a->items[0]->type, JSON_INTEGER);
	assert_int_equal(a->items[0]->integer, 1);
	assert_int_equal(a->items[1]->type, JSON_NUMBER);
	assert_true(fabs(a->items[1]->number + 0.5) < 1e-12);
	assert_int_equal(a->items[3]->type, JSON_TRUE);
	assert_int_equal(a->items[5]->type, JSON_NULL);
	assert_true(json_is_string(json_get(v, "d"), "x"));
	assert_null(json_get(v, "e"));
	assert_null(json_get(a, "e"));
	assert_string_equal(written(v, false), text);
}

static void
values_know_their_places(void **state)
{
	const struct json *v = parse("\xef\xbb\xbf{\n"
				     "  \"a\": [1,\n"
				     "\t\"\xc3\xa9\", \"x\"],\n"
				     "  \"b\"\n:\n true }");
	const struct json *a = json_get(v, "a"), *b = json_get(v, "b");

	(void)state;
	assert_int_equal(v->line, 1);
	assert_int_equal(v->column, 1);
	assert_int_equal(a->line, 2);
	assert_int_equal(a->column, 8);
	assert_int_equal(a->items[0]->column, 9);
	assert_int_equal(a->items[1]->line, 3);
	assert_int_equal(a->items[1]->column, 2);
	assert_int_equal(a->items[2]->column, 8);
	assert_int_equal(v->members[1].line, 4);
	assert_int_equal(v->members[1].column, 3);
	assert_int_equal(b->line, 6);
	assert_int_equal(b->column, 2);
	assert_int_equal(parse("  12")->column, 3);
}

static void
strings_are_unescaped(void **state)
{
	const struct json *v = parse(
	    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\\u0001x\"");

	(void)state;
	assert_string_equal(
	    v->string, "\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80\x01x");
	assert_int_equal(v->count, strlen(v->string));
	assert_string_equal(written(v, false),
	    "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xf0\x9f\x98\x80\\u0001x\"");
}

struct bad {
	const char *text;
	const char *code;
	unsigned line, column;
};

static void
broken_text_is_refused_with_its_place(void **state)
{
	static const struct bad cases[] = {
	    {"", "invalid_json", 1, 1},
	    {"  \n ", "invalid_json", 2, 2},
	    {"[1,\n 2", "invalid_json", 2, 3},
	    {"[1,,2]", "invalid_json", 1, 4},
	    {"[1,]", "invalid_json", 1, 4},
	    {"{\"a\":1,\n  }", "invalid_json", 2, 3},
	    {"{\"a\" 1}", "invalid_json", 1, 6},
	    {"{a:1}", "invalid_json", 1, 2},
	    {"[1] []", "invalid_json", 1, 5},
	    {"nul", "invalid_json", 1, 1},
	    {"[01]", "invalid_json", 1, 3},
	    {"[+1]", "invalid_json", 1, 2},
	    {"[\"a\nb\"]", "invalid_json", 1, 2},
	    {"[\n\"\\x\"]", "invalid_json", 2, 1},
	    {"[1e999]", "invalid_json", 1, 2},
	    {"// x\n1", "invalid_json", 1, 1},
	    {"{\"a\":1,\n \"a\":2}", "duplicate_key", 2, 2},
	    {"[\"\\u0000\"]", "nul_byte", 1, 2},
	    {"[\"\\ud800\"]", "invalid_utf8", 1, 2},
	    {"[\"\\ude00\\ud83d\"]", "invalid_utf8", 1, 2},
	    {"[\"\\ud800\\u0041\"]", "invalid_utf8", 1, 2},
	    {"{\n\"\\ud800x\":1}", "invalid_utf8", 2, 1},
	    {"[\n \"ab\xff\"]", "invalid_utf8", 2, 5},
	    {"[\"\xed\xa0\x80\"]", "invalid_utf8", 1, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bad *c = &cases[i];
		const struct json *v = NULL;
		struct err e;

		assert_int_equal(
		    json_parse(&m, c->text, strlen(c->text), NULL, &v, &e), -1);
		if (strcmp(e.code, c->code) != 0 || e.line != c->line ||
		    e.column != c->column)
			fail_msg("%s: got %s at %u:%u (%s)", c->text, e.code,
			    e.line, e.column, e.message);
	}
}

static void
nul_bytes_are_refused(void **state)
{
	const struct json *v;
	struct err e;

	(void)state;
	assert_int_equal(json_parse(&m, "[1,\n\0]", 6, NULL, &v, &e), -1);
	assert_string_equal(e.code, "nul_byte");
	assert_int_equal(e.line, 2);
	assert_int_equal(e.column, 1);
}

static void
nesting_is_bounded(void **state)
{
	struct json_options options = {.max_depth = 1000};
	char text[2001];
	const struct json *v;
	struct err e;

	(void)state;
	memset(text, '[', 1000);
	memset(text + 1000, ']', 1000);
	assert_int_equal(json_parse(&m, text, 2000, NULL, &v, &e), -1);
	assert_string_equal(e.code, "too_deep");
	assert_int_equal(e.column, JSON_MAX_DEPTH + 1);
	assert_int_equal(json_parse(&m, text + 1000 - JSON_MAX_DEPTH,
			     (size_t)2 * JSON_MAX_DEPTH, NULL, &v, &e),
	    0);
	assert_int_equal(json_parse(&m, text, 2000, &options, &v, &e), 0);
}

static void
bad_text_is_replaced_where_asked(void **state)
{
	struct json_options options = {.replace_bad_text = true};
	const char text[] = "[\"a\xff\x80z\",\"\\u0000\",\"\\ud800\\n\","
			    "\"\\udc00x\",\"b\0c\"]";
	const struct json *v;
	struct err e;

	(void)state;
	assert_int_equal(
	    json_parse(&m, text, sizeof(text) - 1, &options, &v, &e), 0);
	assert_string_equal(v->items[0]->string, "a\xef\xbf\xbd\xef\xbf\xbdz");
	assert_string_equal(v->items[1]->string, "\xef\xbf\xbd");
	assert_string_equal(v->items[2]->string, "\xef\xbf\xbd\n");
	assert_string_equal(v->items[3]->string, "\xef\xbf\xbdx");
	assert_string_equal(v->items[4]->string, "b\xef\xbf\xbd"
						 "c");
	assert_int_equal(json_parse(&m, "[\"\xff", 3, &options, &v, &e), -1);
	assert_string_equal(e.code, "invalid_json");
}

static void
text_of_commands_becomes_clean(void **state)
{
	size_t len;

	(void)state;
	assert_string_equal(
	    json_clean_text(&m, "a\xc3", 2, &len), "a\xef\xbf\xbd");
	assert_int_equal(len, 4);
	assert_string_equal(
	    json_clean_text(&m, "\0\xc3\xa9", 3, &len), "\xef\xbf\xbd\xc3\xa9");
	assert_string_equal(json_clean_text(&m, "", 0, &len), "");
	assert_int_equal(len, 0);
}

static void
duplicates_are_dropped_where_allowed(void **state)
{
	struct json_options options = {.allow_duplicates = true};
	const char *text = "{\"a\":1,\"b\":2,\"a\":3,\"c\":4,\"a\":5}";
	const struct json *v;
	struct err e;

	(void)state;
	assert_int_equal(
	    json_parse(&m, text, strlen(text), &options, &v, &e), 0);
	assert_string_equal(written(v, true), "{\"a\":5,\"b\":2,\"c\":4}");
}

static void
a_duplicate_among_many_keys_is_found(void **state)
{
	const struct json *v;
	struct buf b;
	struct err e;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "{");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "\"k%d\":%d,", i, i);
	buf_puts(&b, "\n\"k500\":0}");
	assert_int_equal(json_parse(&m, b.data, b.len, NULL, &v, &e), -1);
	assert_string_equal(e.code, "duplicate_key");
	assert_int_equal(e.line, 2);
	assert_int_equal(e.column, 1);
	buf_free(&b);
}

static void
integers_that_fit_are_integers(void **state)
{
	static const struct {
		const char *text;
		enum json_type type;
		const char *canonical;
	} cases[] = {
	    {"9223372036854775807", JSON_INTEGER, "9223372036854775807"},
	    {"-9223372036854775808", JSON_INTEGER, "-9223372036854775808"},
	    {"9223372036854775808", JSON_NUMBER, "9.223372036854776e+18"},
	    {"-9223372036854775809", JSON_NUMBER, "-9223372036854775808"},
	    {"-0", JSON_INTEGER, "0"},
	    {"-0.0", JSON_NUMBER, "0"},
	    {"1.0", JSON_NUMBER, "1"},
	    {"1e18", JSON_NUMBER, "1000000000000000000"},
	    {"1e21", JSON_NUMBER, "1e+21"},
	    {"0.1", JSON_NUMBER, "0.1"},
	    {"0.30000000000000004", JSON_NUMBER, "0.30000000000000004"},
	    {"5e-324", JSON_NUMBER, "4.94065645841247e-324"},
	    {"1.7976931348623157e308", JSON_NUMBER, "1.7976931348623157e+308"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct json *v = parse(cases[i].text);

		assert_int_equal(v->type, cases[i].type);
		assert_string_equal(written(v, true), cases[i].canonical);
		if (v->type == JSON_NUMBER)
			assert_string_equal(written(v, false), cases[i].text);
	}
}

static void
canonical_text_is_one_for_equal_values(void **state)
{
	const struct json *a = parse("{\"b\":[1.0,1e2],\"a\":{\"y\":1,"
				     "\"x\":\"\\u00e9\"},\"aa\":0.5}");
	const struct json *b = parse("{ \"aa\" : 5e-1, \"a\":{\"x\":\"\xc3\xa9"
				     "\",\"y\":1.00}, \"b\":[1,100]}");

	(void)state;
	assert_string_equal(written(a, true),
	    "{\"a\":{\"x\":\"\xc3\xa9\",\"y\":1},\"aa\":0.5,\"b\":[1,100]}");
	assert_string_equal(written(b, true),
	    "{\"a\":{\"x\":\"\xc3\xa9\",\"y\":1},\"aa\":0.5,\"b\":[1,100]}");
	assert_true(json_equal(a, b));
	assert_false(json_equal(a, json_get(b, "a")));
	assert_false(json_equal(parse("[1,2]"), parse("[2,1]")));
	assert_false(json_equal(parse("{\"a\":1}"), parse("{\"b\":1}")));
	assert_false(json_equal(parse("1"), parse("1.5")));
	assert_false(json_equal(parse("\"1\""), parse("1")));
}

static void
random_doubles_survive_canonical_text(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = (uint64_t)rand() << 42 ^
				(uint64_t)rand() << 21 ^ (uint64_t)rand();
		const struct json *v;
		struct buf b;
		double d, back;

		memcpy(&d, &bits, sizeof(d));
		if (!isfinite(d))
			continue;
		buf_create(&b, 0);
		json_write_number(&b, d);
		v = parse(b.data);
		back = v->type == JSON_INTEGER ? (double)v->integer : v->number;
		assert_false(back < d || back > d);
		buf_free(&b);
		mem_reset(&m);
	}
}

static void
built_values_are_written(void **state)
{
	struct json *o = json_object(&m, 2), *a = json_array(&m, 4);

	(void)state;
	a->items[0] = json_null(&m);
	a->items[1] = json_bool(&m, true);
	a->items[2] = json_integer(&m, -5);
	a->items[3] = json_number(&m, NAN);
	o->members[0] =
	    (struct json_member){.name = "z", .name_len = 1, .value = a};
	o->members[1] = (struct json_member){
	    .name = "a", .name_len = 1, .value = json_string(&m, "x\"", 2)};
	assert_string_equal(
	    written(o, false), "{\"z\":[null,true,-5,null],\"a\":\"x\\\"\"}");
	assert_string_equal(
	    written(o, true), "{\"a\":\"x\\\"\",\"z\":[null,true,-5,null]}");
}

/* The reader fails cleanly at every allocation, and then succeeds. */
static void
running_out_of_memory_is_an_error(void **state)
{
	const struct json *v;
	struct buf b;
	struct err e;
	int ret = -1;
	long n;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "[");
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "{\"k%d\":[%d,1.5,\"x\"]},", i, i);
	buf_puts(&b, "{");
	for (int i = 0; i < 50; i++)
		buf_printf(&b, "\"k%d\":1,", i);
	buf_puts(&b, "\"end\":null}]");
	for (n = 0; ret != 0; n++) {
		mem_destroy(&m);
		mem_create(&m, 0);
		mem_fail_after(n);
		ret = json_parse(&m, b.data, b.len, NULL, &v, &e);
		mem_fail_after(-1);
		if (ret != 0)
			assert_string_equal(e.code, "out_of_memory");
		assert_in_range(n, 0, 1000);
	}
	assert_true(n > 5);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_keep_their_type_and_text),
	    cmocka_unit_test(values_know_their_places),
	    cmocka_unit_test(strings_are_unescaped),
	    cmocka_unit_test(broken_text_is_refused_with_its_place),
	    cmocka_unit_test(nul_bytes_are_refused),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(bad_text_is_replaced_where_asked),
	    cmocka_unit_test(text_of_commands_becomes_clean),
	    cmocka_unit_test(duplicates_are_dropped_where_allowed),
	    cmocka_unit_test(a_duplicate_among_many_keys_is_found),
	    cmocka_unit_test(integers_that_fit_are_integers),
	    cmocka_unit_test(canonical_text_is_one_for_equal_values),
	    cmocka_unit_test(random_doubles_survive_canonical_text),
	    cmocka_unit_test(built_values_are_written),
	    cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("json", tests, setup, teardown);
}
