/* test_graphql_parser.c - documents of GraphQL: what is read, what is refused
 * and where, and that no text is too hostile. The reference implementation
 * judges many more (tests/graphql). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "graphql/ast.h"
#include "mem_fixture.h"

static struct gql_document *
parse_n(const char *text, size_t len, const struct gql_limits *limits)
{
	struct gql_document *d = NULL;
	struct gql_error e = {0};

	if (gql_parse(&m, text, len, limits, &d, &e) != 0)
		fail_msg("%.200s: %u:%u %s", text, e.at.line, e.at.column,
		    e.message);
	return d;
}

static struct gql_document *
parse(const char *text)
{
	return parse_n(text, strlen(text), NULL);
}

static void
refused_n(const char *text, size_t len, const struct gql_limits *limits,
    const char *code, uint32_t line, uint32_t column)
{
	struct gql_document *d = NULL;
	struct gql_error e = {0};

	assert_int_equal(gql_parse(&m, text, len, limits, &d, &e), -1);
	assert_string_equal(e.code, code);
	if (e.at.line != line || e.at.column != column)
		fail_msg("%.200s: %u:%u %s, not %u:%u", text, e.at.line,
		    e.at.column, e.message, line, column);
	assert_true(strlen(e.message) > 0);
}

static void
refused(const char *text, uint32_t line, uint32_t column)
{
	refused_n(text, strlen(text), NULL, "graphql_syntax", line, column);
}

static void
assert_name(const struct gql_name *name, const char *s)
{
	assert_int_equal(name->len, strlen(s));
	assert_memory_equal(name->s, s, name->len);
}

/* Executable documents ---------------------------------------------------- */

static void
query_is_read_with_its_places(void **state)
{
	const struct gql_document *d =
	    parse("query Q($a: [Int!]! = [1] @x) @y {\n"
		  "  one: field(a: $a, b: {c: ENUM, d: [1.5e3, null]}) {\r\n"
		  "    ...F @include(if: true)\n"
		  "    ... on T { id }\r"
		  "    ... { id } } }\n"
		  "fragment F on T { id }");
	const struct gql_definition *q = d->definitions;
	const struct gql_variable_definition *v = q->variables;
	const struct gql_selection *s = q->set->first, *in = s->set->first;

	(void)state;
	assert_int_equal(d->count, 2);
	assert_int_equal(d->operations, 1);
	assert_int_equal(d->fragments, 1);
	assert_int_equal(d->selections, 7);
	assert_int_equal(d->selection_sets, 5);
	assert_int_equal(d->aliases, 1);
	assert_int_equal(q->kind, GQL_DEF_OPERATION);
	assert_name(&q->name, "Q");
	assert_name(&q->directives->name, "y");
	assert_name(&v->name, "a");
	assert_int_equal(v->type->kind, GQL_REF_NON_NULL);
	assert_int_equal(v->type->of->kind, GQL_REF_LIST);
	assert_int_equal(v->type->of->of->kind, GQL_REF_NON_NULL);
	assert_name(&v->type->of->of->of->name, "Int");
	assert_int_equal(v->default_value->len, 1);
	assert_name(&v->directives->name, "x");
	assert_name(&s->alias, "one");
	assert_name(&s->name, "field");
	assert_int_equal(s->at.line, 2);
	assert_int_equal(s->at.column, 3);
	assert_int_equal(s->name.at.column, 8);
	assert_false(s->arguments->value->constant);
	assert_true(s->arguments->next->value->constant);
	assert_int_equal(s->arguments->next->value->len, 2);
	assert_int_equal(in->kind, GQL_FRAGMENT_SPREAD);
	assert_int_equal(in->at.line, 3);
	assert_name(&in->name, "F");
	in = in->next;
	assert_int_equal(in->kind, GQL_INLINE_FRAGMENT);
	assert_name(&in->condition->name, "T");
	in = in->next;
	assert_null(in->condition);
	assert_int_equal(in->at.line, 5);
	assert_int_equal(d->definitions->next->at.line, 6);
}

static void
descriptions_stand_on_executable_definitions(void **state)
{
	const struct gql_document *d =
	    parse("\"what\" query Q(\"a size\" $a: Int) { x } \"\"\"f\"\"\" "
		  "fragment F on T { x }");

	(void)state;
	assert_int_equal(d->definitions->description->len, 4);
	assert_int_equal(d->definitions->variables->description->len, 6);
	assert_int_equal(d->definitions->variables->variable_at.column, 25);
	assert_int_equal(
	    d->definitions->next->description->kind, GQL_VALUE_BLOCK_STRING);
	refused("{ a } \"no\" { x }", 1, 7);
	refused("\"no\" foo", 1, 1);
	refused("\"no\" extend type A @a", 1, 1);
	refused("\"no\" 1", 1, 6);
}

static void
keywords_are_names_where_names_stand(void **state)
{
	(void)state;
	parse("query query { fragment type: on(query: mutation) { true } }"
	      "fragment type on on { null ...type ... on on { on } }");
	refused("fragment on on T { a }", 1, 10);
	refused("{ ...on }", 1, 9);
	refused("query true { a } false { b }", 1, 18);
}

static void
faults_stand_where_they_are(void **state)
{
	(void)state;
	refused("", 1, 1);
	refused("{", 1, 2);
	refused("{}", 1, 2);
	refused("{ a(", 1, 5);
	refused("{ a() }", 1, 5);
	refused("query Q() { a }", 1, 9);
	refused("{ a: }", 1, 6);
	refused("{ a(b: $) }", 1, 9);
	refused("query ($a: Int = $b) { a }", 1, 18);
	refused("{\n  a @\n}", 3, 1);
	refused("{\r\n\r  a(b: 01)\n}", 3, 9);
	refused("{ a\n ..b }", 2, 2);
	refused("{ a(b: .5) }", 1, 8);
	refused("{ a ? }", 1, 5);
	refused("{ a(b: 'c') }", 1, 8);
	refused("{ a(b: \"c\n\") }", 1, 10);
	refused("{ a(b: \"\"\"c\n", 2, 1);
	/* U+1F600 is two UTF-16 units, U+00E9 and a byte order mark one. */
	refused(
	    "{ a(b: \"\xf0\x9f\x98\x80\xc3\xa9\", c: \xef\xbb\xbf?) }", 1, 19);
	refused("# \xf0\x9f\x98\x80\n{ a \xc3\xa9 }", 2, 5);
}

/* Values ------------------------------------------------------------------ */

static void
assert_value(
    const char *text, enum gql_value_kind kind, const char *value, size_t len)
{
	struct gql_value *v;
	struct gql_error e;

	if (gql_parse_value(&m, text, strlen(text), true, &v, &e) != 0)
		fail_msg("%s: %s", text, e.message);
	assert_int_equal(v->kind, kind);
	if (v->len != len)
		fail_msg("%s: %.*s", text, (int)v->len, v->text);
	assert_memory_equal(v->text, value, len);
}

#define assert_string(text, value)                                             \
	assert_value(text, GQL_VALUE_STRING, value, sizeof(value) - 1)
#define assert_block(text, value)                                              \
	assert_value("\"\"\"" text "\"\"\"", GQL_VALUE_BLOCK_STRING, value,    \
	    sizeof(value) - 1)

static void
value_refused(const char *text, uint32_t column)
{
	struct gql_value *v;
	struct gql_error e;

	assert_int_equal(
	    gql_parse_value(&m, text, strlen(text), true, &v, &e), -1);
	if (e.at.column != column)
		fail_msg("%s: %u, not %u", text, e.at.column, column);
}

static void
numbers_follow_every_rule(void **state)
{
	static const char *const good[] = {"0", "-0", "5", "-123", "0.5",
	    "-1.25", "1e5", "1E+5", "0e-0", "1.5e10",
	    "123456789012345678901234567890"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_value(good[i],
		    strpbrk(good[i], ".eE") != NULL ? GQL_VALUE_FLOAT
						    : GQL_VALUE_INT,
		    good[i], strlen(good[i]));
	value_refused("00", 2);
	value_refused("-01", 3);
	value_refused("-", 2);
	value_refused("+1", 1);
	value_refused("1.", 3);
	value_refused("1.e1", 3);
	value_refused("1e", 3);
	value_refused("1e+", 4);
	value_refused("1x", 2);
	value_refused("0xF", 2);
	value_refused("1.5.5", 4);
	value_refused("1_000", 2);
	value_refused("1e5e", 4);
}

static void
escapes_become_characters(void **state)
{
	(void)state;
	assert_string("\"\"", "");
	assert_string("\"plain\"", "plain");
	assert_string("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz");
	assert_string("\"\\u00e9\\u{e9}\\u{0001F600}\"",
	    "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80");
	assert_string("\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80");
	assert_string("\"\\u0000\"", "\0");
	value_refused("\"ab\\x\"", 4);
	value_refused("\"\\u12\"", 2);
	value_refused("\"\\uD83D\"", 2);
	value_refused("\"\\uD83D\\u0041\"", 2);
	value_refused("\"\\uDE00\"", 2);
	value_refused("\"\\u{}\"", 2);
	value_refused("\"\\u{110000}\"", 2);
	value_refused("\"\\u{D83D}\"", 2);
	value_refused("\"\\u{FFFFFFFFF}\"", 2);
	value_refused("\"\\u{000000041}\"", 2);
	value_refused("\"ab\\", 4);
	value_refused("\"ab", 4);
}

static void
blocks_lose_their_indentation(void **state)
{
	(void)state;
	assert_block("", "");
	assert_block("  a ", "  a ");
	assert_block(
	    "\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n",
	    "Hello,\n  World!\n\nYours,\n  GraphQL.");
	assert_block("\r\n\ta\r\tb\n", "a\nb");
	assert_block("  \n   \n", "");
	assert_block("a\n  b\n c", "a\n b\nc");
	assert_block("a\n \n  b", "a\n\nb");
	assert_block("a \\\"\"\" b \\n", "a \"\"\" b \\n");
}

static void
places_go_on_behind_a_block(void **state)
{
	const struct gql_document *d =
	    parse("{ a(b: \"\"\"\n \xc3\xa9\r\n\"\"\", c: 1) }");
	const struct gql_argument *c =
	    d->definitions->set->first->arguments->next;

	(void)state;
	assert_int_equal(c->name.at.line, 3);
	assert_int_equal(c->name.at.column, 6);
}

/* The type system --------------------------------------------------------- */

static void
types_are_read(void **state)
{
	const struct gql_document *d = parse(
	    "\"the schema\" schema @a { query: Q mutation: M }\n"
	    "scalar DateTime @specifiedBy(url: \"x\")\n"
	    "type Q implements & A & B @a { \"f\" f(a: Int = 1 @d, b: [ID!]): "
	    "String! @deprecated }\n"
	    "interface A implements B { id: ID }\n"
	    "union U = | A | B\n"
	    "enum E { A @x B }\n"
	    "input I @oneOf { a: Int b: E = A }\n"
	    "directive @d(a: Int) repeatable on | FIELD | OBJECT\n"
	    "extend type Q { g: Int }\n"
	    "extend schema @b\n"
	    "type Empty");
	const struct gql_definition *def = d->definitions;

	(void)state;
	assert_int_equal(d->count, 11);
	assert_int_equal(def->operation_types->next->operation, GQL_MUTATION);
	def = def->next->next;
	assert_name(&def->types->next->name, "B");
	assert_name(&def->fields->arguments->next->name, "b");
	assert_int_equal(def->fields->at.column, 32);
	assert_int_equal(def->fields->name.at.column, 36);
	def = def->next->next->next->next;
	assert_name(&def->inputs->name, "a");
	def = def->next;
	assert_true(def->repeatable);
	assert_int_equal(
	    def->locations, 1u << GQL_ON_FIELD | 1u << GQL_ON_OBJECT);
	assert_true(def->next->extension);
}

static void
types_with_faults_are_refused(void **state)
{
	(void)state;
	refused("type A {}", 1, 9);
	refused("enum E { true }", 1, 10);
	refused("extend type A", 1, 14);
	refused("extend scalar A", 1, 16);
	refused("extend", 1, 7);
	refused("extend query { a }", 1, 8);
	refused("schema { q: A }", 1, 10);
	refused("directive @a on FELD", 1, 17);
	refused("type A implements { a: Int }", 1, 19);
	refused("union U = | ", 1, 13);
	refused("input I { a: Int = $b }", 1, 20);
	refused("type A { a(b: Int = [$c]): Int }", 1, 22);
}

/* Hostile texts ----------------------------------------------------------- */

static void
text_that_is_no_text_is_refused(void **state)
{
	(void)state;
	refused_n("{ a }\n\xff", 7, NULL, "invalid_utf8", 2, 1);
	refused_n("{ a(b: \"\xed\xa0\x80\") }", 14, NULL, "invalid_utf8", 1, 9);
	refused_n("{ a \0 }", 7, NULL, "graphql_syntax", 1, 5);
	refused_n("{ a }\0", 6, NULL, "graphql_syntax", 1, 6);
	parse_n("{ a(b: \"\0\") # \0\n }", 18, NULL);
	parse_n("\xef\xbb\xbf{ a }", 8, NULL);
}

static char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
	size_t h = strlen(head), p = strlen(part), t = strlen(tail);
	char *text = malloc(h + p * n + t + 1);

	memcpy(text, head, h);
	for (size_t i = 0; i < n; i++)
		memcpy(text + h + i * p, part, p);
	memcpy(text + h + n * p, tail, t + 1);
	return text;
}

static void
bomb(const char *head, const char *part, size_t n, const char *tail,
    const char *code, uint32_t column)
{
	static const struct gql_limits large = {.bytes = 1u << 28};
	char *text = repeated(head, part, n, tail);

	mem_reset(&m);
	refused_n(text, strlen(text), &large, code, 1, column);
	free(text);
}

static void
bombs_are_refused_early(void **state)
{
	(void)state;
	bomb("{", "a:b ", 100000, "}", "too_many_aliases", 4002);
	bomb("", "{", 1u << 20, "", "graphql_syntax", 2);
	bomb("", "{a", 10000, "", "too_deep", 201);
	bomb("{a(b:", "[", 10000, "", "too_deep", 105);
	bomb("{a(b:", "{c:", 10000, "", "too_deep", 303);
	bomb("query($a:", "[", 10000, "", "too_deep", 110);
	bomb("{", "a ", 30000, "}", "too_many_fields", 40002);
	bomb("{a(b:[", "1 ", 200000, "])}", "too_many_tokens", 199995);
	bomb("{a}", " ", 1u << 28, "", "document_too_large", 1);
}

static void
depth_has_a_last_bound(void **state)
{
	static const struct gql_limits deep = {.depth = UINT32_MAX};
	char *text = repeated("{a", "{a", 20000, "");

	(void)state;
	refused_n(text, strlen(text), &deep, "too_deep", 1, 2001);
	free(text);
}

static void
documents_at_their_limits_are_read(void **state)
{
	static const struct gql_limits limits = {
	    .bytes = 16, .tokens = 11, .depth = 2, .fields = 3, .aliases = 2};
	const char *text = "{a:b{c:d,e}}", *more = "{a:b{c:d,e}}  #  ";

	(void)state;
	parse_n(text, strlen(text), &limits);
	refused_n(more, 17, &limits, "document_too_large", 1, 1);
	refused_n("{a:b{c:d,e}} x", 14, &limits, "too_many_tokens", 1, 14);
	refused_n("{a:b{c{d}}}", 11, &limits, "too_deep", 1, 7);
	refused_n("{a b c d}", 9, &limits, "too_many_fields", 1, 8);
	refused_n("{a:a b:b c:c}", 13, &limits, "too_many_aliases", 1, 10);
}

static void
memory_that_ends_is_an_error(void **state)
{
	const char *text =
	    "\"d\" query Q($a: [Int!] = [1, {a: \"\\n\"}] @x) { a: b(c: $d) "
	    "{ ...F ... on T { \"\"\"x\"\"\" } } }";
	const char *types =
	    "type A implements B @c { \"\\n\" f(a: Int = 1): [Int!] @d } enum "
	    "E "
	    "{ A } union U = A schema { query: Q } directive @a(b: C) on FIELD";
	char *nodes = repeated("{", "a(b: [\"\\n\"]) @c ...F ", 500, "}");
	const char *texts[] = {text, types, nodes};
	struct gql_document *d;
	struct gql_error e;
	long budget;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (budget = 0;; budget++) {
			mem_destroy(&m);
			e.code = NULL;
			mem_fail_after(budget);
			gql_parse(&m, texts[i], strlen(texts[i]), NULL, &d, &e);
			mem_fail_after(-1);
			if (e.code == NULL ||
			    strcmp(e.code, "out_of_memory") != 0)
				break;
		}
		assert_true(budget > 0);
	}
	for (size_t limit = 64; limit < 4000; limit += 16) {
		mem_destroy(&m);
		mem_create(&m, limit);
		e.code = NULL;
		if (gql_parse(&m, types, strlen(types), NULL, &d, &e) != 0)
			assert_string_equal(e.code, "out_of_memory");
	}
	mem_destroy(&m);
	mem_create(&m, 0);
	free(nodes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(query_is_read_with_its_places),
	    TEST(descriptions_stand_on_executable_definitions),
	    TEST(keywords_are_names_where_names_stand),
	    TEST(faults_stand_where_they_are),
	    TEST(numbers_follow_every_rule),
	    TEST(escapes_become_characters),
	    TEST(blocks_lose_their_indentation),
	    TEST(places_go_on_behind_a_block),
	    TEST(types_are_read),
	    TEST(types_with_faults_are_refused),
	    TEST(text_that_is_no_text_is_refused),
	    TEST(bombs_are_refused_early),
	    TEST(depth_has_a_last_bound),
	    TEST(documents_at_their_limits_are_read),
	    TEST(memory_that_ends_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
