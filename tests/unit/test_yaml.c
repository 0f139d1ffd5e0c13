/* test_yaml.c - reading YAML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag/yaml.h"
#include "mem_fixture.h"

static const struct json *
parse(const char *text)
{
	const struct json *v = NULL;
	struct err e;

	if (yaml_parse(&m, text, strlen(text), NULL, &v, &e) != 0)
		fail_msg("%s: %u:%u %s", text, e.line, e.column, e.message);
	return v;
}

static void
assert_reads(const char *text, const char *json)
{
	struct buf b;

	buf_create(&b, 0);
	json_write(&b, parse(text));
	assert_string_equal(b.data, json);
	buf_free(&b);
}

static void
plain_scalars_have_the_core_schemas_types(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
	    {"[null, Null, NULL, ~, ]", "[null,null,null,null]"},
	    {"{a: , b: }", "{\"a\":null,\"b\":null}"},
	    {"[true, True, TRUE, false]", "[true,true,true,false]"},
	    {"[yes, No, on, y, tRUE]",
		"[\"yes\",\"No\",\"on\",\"y\",\"tRUE\"]"},
	    {"[0, -1, +7, 0123, 0o17, 0x1F]", "[0,-1,7,123,15,31]"},
	    {"[0o8, 0xg, 0b1, 1_000]", "[\"0o8\",\"0xg\",\"0b1\",\"1_000\"]"},
	    {"[1.5, .5, 5., -1e3, 1.0E+2]", "[1.5,0.5,5,-1000,100]"},
	    {"[., -, +, e5, 1e, 1.2.3, 12:30]",
		"[\".\",\"-\",\"+\",\"e5\",\"1e\",\"1.2.3\",\"12:30\"]"},
	    {"[9223372036854775807, 9223372036854775808]",
		"[9223372036854775807,9.223372036854776e+18]"},
	    {"['1', \"1\", !!str 1, ! 1]", "[\"1\",\"1\",\"1\",\"1\"]"},
	    {"[!!int 1, !!float 1, !!bool true, !!null ~]", "[1,1,true,null]"},
	    {"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
	    {"2024-01-01", "\"2024-01-01\""},
	    {"{1: a, true: b, ~: c}",
		"{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\"}"},
	    {"{<<: x}", "{\"<<\":\"x\"}"},
	    {"|\n a\n  b\n", "\"a\\n b\\n\""},
	    {">\n a\n b\n", "\"a b\\n\""},
	    {"\"\\u00e9\\x41\\n\"", "\"\xc3\xa9"
				    "A\\n\""},
	    {"%YAML 1.2\n---\na: 1\n...\n", "{\"a\":1}"},
	    {"\xef\xbb\xbf"
	     "a: 1",
		"{\"a\":1}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_reads(cases[i].yaml, cases[i].json);
}

static void
values_know_their_places_in_bytes(void **state)
{
	const struct json *v = parse("\xc3\xa9: [\xc3\xa9, x]\n"
				     "b:\n"
				     "  - \xe2\x82\xac\xe2\x82\xac: {c: 5}\n");
	const struct json *a = v->members[0].value;
	const struct json *b = v->members[1].value;

	(void)state;
	assert_int_equal(v->members[0].column, 1);
	assert_int_equal(a->line, 1);
	assert_int_equal(a->column, 5);
	assert_int_equal(a->items[1]->column, 10);
	assert_int_equal(v->members[1].line, 2);
	assert_int_equal(b->line, 3);
	assert_int_equal(b->items[0]->members[0].value->column, 13);
	assert_int_equal(
	    json_get(b->items[0]->members[0].value, "c")->column, 17);
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
	    {"", "invalid_yaml", 1, 1},
	    {"# nothing", "invalid_yaml", 1, 1},
	    {"a: b: c", "invalid_yaml", 1, 5},
	    {"a:\n  - b\n - c", "invalid_yaml", 3, 2},
	    {"a: [1,\nb: 2", "invalid_yaml", 3, 1},
	    {"\xc3\xa9: ]", "invalid_yaml", 1, 5},
	    {"a: 'x", "invalid_yaml", 1, 6},
	    {"\ta: 1", "invalid_yaml", 1, 1},
	    {"a: \x01", "invalid_yaml", 1, 4},
	    {"--- 1\n--- 2", "invalid_yaml", 2, 1},
	    {"a: .inf", "invalid_yaml", 1, 4},
	    {"a: -.INF", "invalid_yaml", 1, 4},
	    {"a: .nan", "invalid_yaml", 1, 4},
	    {"a: 1e999", "invalid_yaml", 1, 4},
	    {"? [a]\n: b", "invalid_yaml", 1, 3},
	    {"a: 1\nb: 2\na: 3", "duplicate_key", 3, 1},
	    {"a: &x 1", "alias_not_allowed", 1, 4},
	    {"a: &x [1]", "alias_not_allowed", 1, 4},
	    {"a: &x {b: 1}", "alias_not_allowed", 1, 4},
	    {"a: *x", "alias_not_allowed", 1, 4},
	    {"a: !foo 1", "tag_not_allowed", 1, 4},
	    {"a: !!binary aGk=", "tag_not_allowed", 1, 4},
	    {"a: !!int x", "tag_not_allowed", 1, 4},
	    {"a: !!seq {}", "tag_not_allowed", 1, 4},
	    {"a: !!python/object:os.system {}", "tag_not_allowed", 1, 4},
	    {"a: \"x\\0y\"", "nul_byte", 1, 4},
	    {"a:\n  b\xff", "invalid_utf8", 2, 4},
	    {"a: \"\\ud800\"", "invalid_yaml", 1, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bad *c = &cases[i];
		const struct json *v = NULL;
		struct err e;

		assert_int_equal(
		    yaml_parse(&m, c->text, strlen(c->text), NULL, &v, &e), -1);
		if (strcmp(e.code, c->code) != 0 || e.line != c->line ||
		    e.column != c->column)
			fail_msg("%s: got %s at %u:%u (%s)", c->text, e.code,
			    e.line, e.column, e.message);
	}
}

static void
a_bomb_of_anchors_is_refused_at_the_first(void **state)
{
	const struct json *v;
	struct buf b;
	struct err e;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "l0: &l0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 30; i++) {
		buf_printf(&b, "l%d: &l%d [", i, i);
		for (int k = 0; k < 9; k++)
			buf_printf(&b, "%s*l%d", k > 0 ? ", " : "", i - 1);
		buf_puts(&b, "]\n");
	}
	assert_int_equal(yaml_parse(&m, b.data, b.len, NULL, &v, &e), -1);
	assert_string_equal(e.code, "alias_not_allowed");
	assert_int_equal(e.line, 1);
	buf_free(&b);
}

static void
nul_bytes_are_refused(void **state)
{
	const struct json *v;
	struct err e;

	(void)state;
	assert_int_equal(yaml_parse(&m, "a: 1\n\0", 6, NULL, &v, &e), -1);
	assert_string_equal(e.code, "nul_byte");
	assert_int_equal(e.line, 2);
	assert_int_equal(e.column, 1);
}

static void
nesting_is_bounded(void **state)
{
	static const char *const units[] = {"[", "{a: ", "- ", "[{a: "};
	const struct json *v;
	struct buf b;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		buf_create(&b, 0);
		for (int k = 0; k < 200000; k++)
			buf_puts(&b, units[i]);
		assert_int_equal(
		    yaml_parse(&m, b.data, b.len, NULL, &v, &e), -1);
		assert_string_equal(e.code, "too_deep");
		buf_free(&b);
	}
}

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
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "k%d: {a: [%d, 1.5, x], b: \"y\"}\n", i, i);
	for (n = 0; ret != 0; n++) {
		mem_destroy(&m);
		mem_create(&m, 0);
		mem_fail_after(n);
		ret = yaml_parse(&m, b.data, b.len, NULL, &v, &e);
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
	    cmocka_unit_test(plain_scalars_have_the_core_schemas_types),
	    cmocka_unit_test(values_know_their_places_in_bytes),
	    cmocka_unit_test(broken_text_is_refused_with_its_place),
	    cmocka_unit_test(a_bomb_of_anchors_is_refused_at_the_first),
	    cmocka_unit_test(nul_bytes_are_refused),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(running_out_of_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("yaml", tests, setup, teardown);
}
