/* test_template.c - expressions and templates: parts of text, references,
 * plain paths, and what a plan holds of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag/expression.h"
#include "dag/lua_check.h"
#include "dag_ops.h"
#include "mem_fixture.h"

/* Parts ------------------------------------------------------------------- */

static void
text_is_cut_into_literals_and_expressions(void **state)
{
	static const struct {
		const char *text, *parts;
		enum text_kind kind;
	} cases[] = {
	    {"", "", TEXT_STATIC},
	    {"plain $ {{ }} $x", "L(plain $ {{ }} $x)", TEXT_STATIC},
	    {"${{ x }}", "E(x)", TEXT_EXPRESSION},
	    {"${{x}}", "E(x)", TEXT_EXPRESSION},
	    {" ${{x}}", "L( )E(x)", TEXT_MIXED},
	    {"${{x}}${{y}}", "E(x)E(y)", TEXT_MIXED},
	    {"a${{ x }}b", "L(a)E(x)L(b)", TEXT_MIXED},
	    {"$${{ x }}", "L(${{)L( x }})", TEXT_STATIC},
	    {"$$${{ x }}", "L($)L(${{)L( x }})", TEXT_STATIC},
	    {"a$${{b${{c}}", "L(a)L(${{)L(b)E(c)", TEXT_MIXED},
	    {"${{ {{1}} }}", "E({{1}})", TEXT_EXPRESSION},
	    {"${{ '}}' }}", "E('}}')", TEXT_EXPRESSION},
	    {"${{ \"\\\"}}\" }}", "E(\"\\\"}}\")", TEXT_EXPRESSION},
	    {"${{ [[}}]] }}", "E([[}}]])", TEXT_EXPRESSION},
	    {"${{ [==[}}]]]==] }}", "E([==[}}]]]==])", TEXT_EXPRESSION},
	    {"${{ x --[[ }} ]] }}", "E(x --[[ }} ]])", TEXT_EXPRESSION},
	    {"${{ x -- }}\n }}", "E(x -- }})", TEXT_EXPRESSION},
	    {"${{ {a={}}", "U(${{ {a={}})", TEXT_EXPRESSION},
	    {"a${{ x", "L(a)U(${{ x)", TEXT_MIXED},
	    {"${{", "U(${{)", TEXT_EXPRESSION},
	    {"${{ ' }}", "U(${{ ' }})", TEXT_EXPRESSION},
	    {"${{ x } }", "U(${{ x } })", TEXT_EXPRESSION},
	    {"${{}}", "E()", TEXT_EXPRESSION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text;
		struct parts p = {text, text + strlen(text)};
		char got[200] = "";
		size_t n = 0;

		for (;;) {
			struct part part = part_next(&p);

			if (part.kind == PART_END)
				break;
			n += (size_t)snprintf(got + n, sizeof(got) - n,
			    "%c(%.*s)", "?LEU"[part.kind], (int)part.len,
			    part.text);
		}
		assert_string_equal(got, cases[i].parts);
		assert_int_equal(text_kind(text, strlen(text)), cases[i].kind);
	}
}

/* References -------------------------------------------------------------- */

static int
note(void *ctx, const char *name, size_t len, const char *field)
{
	char *got = ctx;

	assert_int_equal(len, strlen(name));
	sprintf(got + strlen(got), "%s/%s ", name, field);
	return 0;
}

static void
references_are_found_by_lexing(void **state)
{
	static const struct {
		const char *code, *found;
	} cases[] = {
	    {"nodes.a.result", "a/result "},
	    {"nodes . a . result . nodes . b", "a/result "},
	    {"nodes['a b']['status']", "a b/status "},
	    {"nodes[\"a\\\"\\65\\x42\\u{43}\\z  d\"].result",
		"a\"ABCd/result "},
	    {"nodes[ [==[a]b]==] ].result", "a]b/result "},
	    {"nodes.a", "a/ "},
	    {"nodes.a[i]", "a/ "},
	    {"nodes[i]", ""},
	    {"nodes['a'..i]", ""},
	    {"nodes[nodes.a.result]", "a/result "},
	    {"x.nodes.a, x:nodes().b, x['nodes'].a", ""},
	    {"'nodes.a' .. [[nodes.b]] -- nodes.c", ""},
	    {"--[[ nodes.a ]] nodes.b.result", "b/result "},
	    {"--[==[ nodes.a ]] nodes.b ]==] nodes.c.status", "c/status "},
	    {"x..nodes.a.result", "a/result "},
	    {"nodes.a.result+nodes.b.result", "a/result b/result "},
	    {"f(nodes.a.result)[nodes.b.result]", "a/result b/result "},
	    {"mynodes.a, nodesx.a, nodes", ""},
	    {"1e5nodes.a 0x1p-3 nodes.b.result", "b/result "},
	    {"nodes.a.result 'unfinished", "a/result "},
	    {"nodes['\\xZZ'].result", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char got[200] = "";

		assert_int_equal(expression_references(cases[i].code,
				     strlen(cases[i].code), &m, note, got),
		    0);
		assert_string_equal(got, cases[i].found);
	}
}

/* Paths ------------------------------------------------------------------- */

static void
plain_paths_are_told_from_expressions(void **state)
{
	static const struct {
		const char *code, *path;
	} cases[] = {
	    {"context", "context"},
	    {"context.a.b[3]", "context .a .b #3"},
	    {"nodes.NAME.result.x[\"y z\"]", "nodes .NAME .result .x .y z"},
	    {" nodes [ 'a' ] . result -- why", "nodes .a .result"},
	    {"a[4294967295]", "a #4294967295"},
	    {"a[4294967296]", ""},
	    {"a[0]", ""},
	    {"a[-1]", ""},
	    {"a[1.0]", ""},
	    {"a[0x1]", ""},
	    {"a['\\0']", ""},
	    {"a['\\xff']", ""},
	    {"a[b]", ""},
	    {"a + 1", ""},
	    {"a.b()", ""},
	    {"(a)", ""},
	    {"1", ""},
	    {"a:b", ""},
	    {"a.1", ""},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct path_step s[PATH_STEPS_MAX];
		uint32_t n = expression_path(
		    cases[i].code, strlen(cases[i].code), &m, s);
		char got[200] = "";

		for (uint32_t k = 0; k < n; k++) {
			char *end = got + strlen(got);

			if (s[k].kind == STEP_ROOT)
				sprintf(end, "%s", s[k].name);
			else if (s[k].kind == STEP_MEMBER)
				sprintf(end, " .%s", s[k].name);
			else
				sprintf(end, " #%u", s[k].index);
		}
		assert_string_equal(got, cases[i].path);
	}
}

static void
very_long_paths_are_left_to_lua(void **state)
{
	struct path_step s[PATH_STEPS_MAX];
	char code[200] = "a";

	(void)state;
	for (int i = 1; i < PATH_STEPS_MAX; i++)
		strcat(code, ".b");
	assert_int_equal(
	    expression_path(code, strlen(code), &m, s), PATH_STEPS_MAX);
	strcat(code, ".b");
	assert_int_equal(expression_path(code, strlen(code), &m, s), 0);
}

/* Lua --------------------------------------------------------------------- */

static void
an_expression_is_exactly_one(void **state)
{
	static const char *const good[] = {"1", "a.b", "(a)", "f(1, 2)",
	    "function() return 1; end", "{1, 2}", "a or b -- why",
	    "'x' --[[ ) ]]", "not a == b", "(1)", "[[)]]"};
	static const char *const bad[] = {"1,2", "1;", "1) + (2", "1) or f(",
	    "return 1", "x = 1", "a b", "...)--", ")", "1 end", "goto x", "[[x",
	    "'x", "1 --[[", "\x1bLua"};
	struct lua_checker *c = lua_checker_new();
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (lua_check_expression(c, good[i], strlen(good[i]), &e) != 0)
			fail_msg("%s: %s", good[i], e.message);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (lua_check_expression(c, bad[i], strlen(bad[i]), &e) == 0)
			fail_msg("accepted: %s", bad[i]);
	lua_checker_free(c);
}

static void
the_compiler_cannot_be_exhausted(void **state)
{
	struct lua_checker *c = lua_checker_new();
	struct buf b;
	struct err e;

	(void)state;
	buf_create(&b, 0);
	for (int i = 0; i < 1000000; i++)
		buf_puts(&b, "(");
	assert_int_equal(lua_check_expression(c, b.data, b.len, &e), -1);
	assert_string_equal(e.code, "invalid_expression");
	buf_reset(&b);
	buf_puts(&b, "x = {");
	for (int i = 0; i < 1000000; i++)
		buf_printf(&b, "'%d',", i);
	buf_puts(&b, "}");
	assert_int_equal(lua_check_chunk(c, b.data, b.len, &e), -1);
	assert_string_equal(e.code, "out_of_memory");
	assert_int_equal(lua_check_chunk(c, "return 1", 8, &e), 0);
	buf_free(&b);
	lua_checker_free(c);
}

/* Templates --------------------------------------------------------------- */

/* A template as text: JSON, with paths as <root .member #index>, Lua as
 * `code` and joined parts as (a|b). */
static void
describe(const struct plan *p, const struct template_value *v, struct buf *b)
{
	const struct template_value *parts = plan_at(p, (uint32_t)v->offset);
	const struct template_step *s = plan_at(p, (uint32_t)v->offset);
	const char *roots[] = {"context", "result", "status", "id"};

	switch ((enum template_type)v->type) {
	case TEMPLATE_NULL:
		buf_puts(b, "null");
		break;
	case TEMPLATE_FALSE:
		buf_puts(b, "false");
		break;
	case TEMPLATE_TRUE:
		buf_puts(b, "true");
		break;
	case TEMPLATE_INTEGER:
		buf_printf(b, "%lld", (long long)v->integer);
		break;
	case TEMPLATE_NUMBER:
		json_write_number(b, v->number);
		break;
	case TEMPLATE_STRING:
		json_write_string(b, (const char *)parts, v->count);
		break;
	case TEMPLATE_LUA:
		buf_printf(b, "`%s`", (const char *)parts);
		break;
	case TEMPLATE_ARRAY:
	case TEMPLATE_CONCAT:
		buf_putc(b, v->type == TEMPLATE_ARRAY ? '[' : '(');
		for (uint32_t i = 0; i < v->count; i++) {
			buf_puts(b, i > 0 ? "|" : "");
			describe(p, &parts[i], b);
		}
		buf_putc(b, v->type == TEMPLATE_ARRAY ? ']' : ')');
		break;
	case TEMPLATE_OBJECT:
		buf_putc(b, '{');
		for (uint32_t i = 0; i < v->count; i++) {
			buf_puts(b, i > 0 ? "," : "");
			describe(p, &parts[2 * i], b);
			buf_putc(b, ':');
			describe(p, &parts[2 * i + 1], b);
		}
		buf_putc(b, '}');
		break;
	case TEMPLATE_PATH:
		buf_printf(b, "<%s", roots[s[0].value]);
		if (s[0].value == ROOT_NODE_RESULT ||
		    s[0].value == ROOT_NODE_STATUS)
			buf_printf(b, " of %s", plan_node_name(p, s[0].at));
		for (uint32_t i = 1; i < v->count; i++)
			if (s[i].kind == STEP_INDEX)
				buf_printf(b, " #%u", s[i].value);
			else
				buf_printf(b, " .%s",
				    (const char *)plan_at(p, s[i].at));
		buf_putc(b, '>');
		break;
	}
}

/* The template of {any: VALUE} (or of when) of a node that depends on "a b". */
static void
assert_template(const char *value, const char *when, const char *expected)
{
	struct document_options options = {.ops = &test_ops};
	struct document *d;
	struct faults f;
	struct plan *p;
	struct buf b;
	struct err e;

	buf_create(&b, 0);
	buf_printf(&b,
	    "{\"nodes\":[{\"name\":\"a b\"},{\"name\":\"n\",\"op\":\"mix\","
	    "\"dependencies\":[\"a b\"],\"when\":%s,\"with\":{\"any\":%s}}]}",
	    when, value);
	faults_create(&f, &m, FAULTS_MAX);
	if (document_parse(
		&m, DOCUMENT_JSON, b.data, b.len, &options, &f, &d) != 0)
		fail_msg("%s: %s", b.data, f.list[0].message);
	p = plan_compile(d, &test_ops, &e);
	assert_non_null(p);
	assert_int_equal(plan_check(p, p->size, &e), 0);
	buf_reset(&b);
	describe(p, plan_at(p, plan_nodes(p)[1].with), &b);
	if (plan_nodes(p)[1].when != 0) {
		buf_reset(&b);
		describe(p, plan_at(p, plan_nodes(p)[1].when), &b);
	}
	assert_string_equal(b.data, expected);
	buf_free(&b);
	free(p);
}

static void
values_become_templates(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
	    {"null", "{\"any\":null}"},
	    {"[true,false,1,1.0,1.5,\"\",[],{}]",
		"{\"any\":[true|false|1|1|1.5|\"\"|[]|{}]}"},
	    {"{\"b\":1,\"a\":\"${{ context.x }}\"}",
		"{\"any\":{\"a\":<context .x>,\"b\":1}}"},
	    {"\"${{ nodes['a b'].result.x[2] }}\"",
		"{\"any\":<result of a b .x #2>}"},
	    {"\"${{ nodes['a b'].status }}\"", "{\"any\":<status of a b>}"},
	    {"\"${{ nodes['a b'].status.x }}\"",
		"{\"any\":`nodes['a b'].status.x`}"},
	    {"\"${{ nodes['a b'] }}\"", "{\"any\":`nodes['a b']`}"},
	    {"\"${{ execution.id }}\"", "{\"any\":<id>}"},
	    {"\"${{ execution.id.x }}\"", "{\"any\":`execution.id.x`}"},
	    {"\"${{ execution }}\"", "{\"any\":`execution`}"},
	    {"\"${{ other.x }}\"", "{\"any\":`other.x`}"},
	    {"\"${{ 1 + 1 }}\"", "{\"any\":`1 + 1`}"},
	    {"\"a${{ context }}$${{b}}c${{ 2 }}\"",
		"{\"any\":(\"a\"|<context>|\"${{b}}c\"|`2`)}"},
	    {"\"$${{ x }}\"", "{\"any\":\"${{ x }}\"}"},
	    {"{\"${{ key }}\":1}", "{\"any\":{\"${{ key }}\":1}}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_template(cases[i].value, "null", cases[i].expected);
}

static void
conditions_become_expressions(void **state)
{
	(void)state;
	assert_template("1", "\"context.go\"", "<context .go>");
	assert_template(
	    "1", "\"nodes['a b'].result > 1\"", "`nodes['a b'].result > 1`");
	assert_template("1", "\"true\"", "`true`");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_cut_into_literals_and_expressions),
	    cmocka_unit_test(references_are_found_by_lexing),
	    cmocka_unit_test(plain_paths_are_told_from_expressions),
	    cmocka_unit_test(very_long_paths_are_left_to_lua),
	    cmocka_unit_test(an_expression_is_exactly_one),
	    cmocka_unit_test(the_compiler_cannot_be_exhausted),
	    cmocka_unit_test(values_become_templates),
	    cmocka_unit_test(conditions_become_expressions),
	};

	return cmocka_run_group_tests_name("template", tests, setup, teardown);
}
