/* test_graphql_values.c - variables and arguments become what their types say,
 * or are refused at their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "graphql/values.h"
#include "mem_fixture.h"

#define SDL                                                                    \
	"type Query { f(i: Int, l: [Int!], r: Int!, d: Int = 7, in: In, "      \
	"one: One, id: ID, e: E, s: String, x: Float, b: Boolean, at: When, "  \
	"ll: [[Int]]): Int }\n"                                                \
	"scalar When\n"                                                        \
	"enum E { A B }\n"                                                     \
	"input In { a: Int! b: [E!] = [A] c: In d: Float }\n"                  \
	"input One @oneOf { a: Int b: String }"

static bool
fits_when(const struct json *v)
{
	return v->type == JSON_STRING && v->count == 4;
}

static const struct gql_scalar_rule rules[] = {{"When", fits_when}};
static struct gql_schema *schema;
static struct gql_faults faults;
static uint32_t items_max;

static struct gql_document *
parse(const char *text)
{
	struct gql_document *d;
	struct gql_error e;

	if (gql_parse(&m, text, strlen(text), NULL, &d, &e) != 0)
		fail_msg("%s: %s", text, e.message);
	return d;
}

static void
build(void)
{
	gql_faults_create(&faults, &m, 0);
	if (gql_schema_build(&m, parse(SDL), &schema, &faults) != 0)
		fail_msg("%s", faults.first->message);
}

/* The arguments of the document's field; NULL: refused. */
static const struct json *
coerced(const char *text, const char *variables)
{
	const struct gql_document *d = parse(text);
	const struct gql_definition *op = d->definitions;
	const struct gql_selection *s = op->set->first;
	const struct gql_field *f =
	    gql_schema_field(schema, schema->roots[GQL_QUERY], "f", 1);
	const struct json *given = NULL, *values, *out;
	struct gql_coercion c = {.mem = &m,
	    .schema = schema,
	    .faults = &faults,
	    .rules = rules,
	    .rule_count = 1,
	    .items_max = items_max};
	struct err e;

	gql_faults_create(&faults, &m, 0);
	if (variables != NULL)
		assert_int_equal(json_parse(&m, variables, strlen(variables),
				     NULL, &given, &e),
		    0);
	if (gql_variables_coerce(&c, op, given, &values) != 0 ||
	    gql_arguments_coerce(&c, f->args, f->arg_count, s->arguments, s->at,
		values, &out) != 0)
		return NULL;
	assert_int_equal(faults.count, 0);
	return out;
}

static void
gives(const char *text, const char *variables, const char *expected)
{
	const struct json *v;
	struct buf b;

	build();
	v = coerced(text, variables);
	if (v == NULL)
		fail_msg("%s %s: %s", text, variables, faults.first->message);
	buf_create(&b, 0);
	json_write(&b, v);
	assert_string_equal(b.data, expected);
	buf_free(&b);
}

static void
refused(const char *text, const char *variables, uint32_t column)
{
	build();
	assert_null(coerced(text, variables));
	assert_true(faults.count > 0);
	if (faults.first->places[0].column != column)
		fail_msg("%s: column %u, not %u (%s)", text,
		    faults.first->places[0].column, column,
		    faults.first->message);
}

static void
literals_become_values_of_their_types(void **state)
{
	(void)state;
	gives("{ f(r: 1) }", NULL, "{\"r\":1,\"d\":7}");
	gives("{ f(r: 1, d: null, i: null) }", NULL,
	    "{\"i\":null,\"r\":1,\"d\":null}");
	gives("{ f(r: -2147483648, l: 5, ll: [[1], null, 2]) }", NULL,
	    "{\"l\":[5],\"r\":-2147483648,\"d\":7,"
	    "\"ll\":[[1],null,[2]]}");
	gives("{ f(r: 1, in: {a: 2, c: {a: 3, b: B, d: 4}}) }", NULL,
	    "{\"r\":1,\"d\":7,\"in\":{\"a\":2,\"b\":[\"A\"],\"c\":{\"a\":3,"
	    "\"b\":[\"B\"],\"d\":4}}}");
	gives("{ f(r: 1, id: 12345678901234567890, e: B, at: \"noon\") }", NULL,
	    "{\"r\":1,\"d\":7,\"id\":\"12345678901234567890\",\"e\":\"B\","
	    "\"at\":\"noon\"}");
	gives("{ f(r: 1, one: {b: \"x\"}, x: 1e3, b: true) }", NULL,
	    "{\"r\":1,\"d\":7,\"one\":{\"b\":\"x\"},\"x\":1e3,\"b\":true}");
}

static void
literals_of_other_types_are_refused_where_they_stand(void **state)
{
	(void)state;
	refused("{ f }", NULL, 3);
	refused("{ f(r: null) }", NULL, 8);
	refused("{ f(r: 2147483648) }", NULL, 8);
	refused("{ f(r: 1.0) }", NULL, 8);
	refused("{ f(r: 1, l: [1, null]) }", NULL, 18);
	refused("{ f(r: 1, s: 1) }", NULL, 14);
	refused("{ f(r: 1, x: 1e999) }", NULL, 14);
	refused("{ f(r: 1, e: \"A\") }", NULL, 14);
	refused("{ f(r: 1, e: C) }", NULL, 14);
	refused("{ f(r: 1, at: \"midnight\") }", NULL, 15);
	refused("{ f(r: 1, in: {}) }", NULL, 15);
	refused("{ f(r: 1, in: 1) }", NULL, 15);
	refused("{ f(r: 1, in: {a: 1, z: 1}) }", NULL, 22);
	refused("{ f(r: 1, one: {}) }", NULL, 16);
	refused("{ f(r: 1, one: {a: 1, b: \"x\"}) }", NULL, 16);
	refused("{ f(r: 1, one: {a: null}) }", NULL, 16);
}

static void
variables_are_coerced_and_put_in(void **state)
{
	(void)state;
	gives("query ($a: Int!, $b: Int = 3) { f(r: $a, i: $b) }",
	    "{\"a\": 1.0}", "{\"i\":3,\"r\":1,\"d\":7}");
	gives("query ($a: [Int!], $e: E) { f(r: 1, l: $a, e: $e) }",
	    "{\"a\": 2, \"e\": \"B\"}",
	    "{\"l\":[2],\"r\":1,\"d\":7,\"e\":\"B\"}");
	gives("query ($a: In, $id: ID) { f(r: 1, in: $a, id: $id) }",
	    "{\"a\": {\"a\": 1, \"c\": null}, \"id\": 5}",
	    "{\"r\":1,\"d\":7,\"in\":{\"a\":1,\"b\":[\"A\"],\"c\":null},"
	    "\"id\":\"5\"}");
	/* Nothing given is not null. */
	gives("query ($a: Int, $n: Int) { f(r: 1, d: $a, i: $n) }",
	    "{\"n\": null}", "{\"i\":null,\"r\":1,\"d\":7}");
	gives("query ($a: Int, $c: In) { f(r: 1, in: {a: 1, c: $c}, "
	      "ll: [[$a, 1]]) }",
	    NULL,
	    "{\"r\":1,\"d\":7,\"in\":{\"a\":1,\"b\":[\"A\"]},"
	    "\"ll\":[[null,1]]}");
}

static void
variables_that_do_not_fit_are_refused_at_their_definition(void **state)
{
	(void)state;
	refused("query ($a: Int!) { f(r: $a) }", NULL, 8);
	refused("query ($a: Int!) { f(r: $a) }", "{\"a\": null}", 8);
	refused("query (\"d\" $a: Int!) { f(r: $a) }", "{\"a\": \"1\"}", 8);
	refused("query ($a: Int!) { f(r: $a) }", "{\"a\": 2147483648}", 8);
	refused("query ($a: Int!) { f(r: $a) }", "{\"a\": 1.5}", 8);
	refused("query ($b: Int, $a: In) { f(r: 1, in: $a) }",
	    "{\"a\": {\"a\": 1, \"z\": 2}}", 17);
	refused("query ($a: One) { f(r: 1, one: $a) }",
	    "{\"a\": {\"a\": 1, \"b\": null}}", 8);
	refused("query ($a: E) { f(r: 1, e: $a) }", "{\"a\": \"Z\"}", 8);
	refused("query ($a: Query) { f(r: 1) }", "{\"a\": 1}", 12);
	refused("query ($a: Int) { f(r: $a) }", NULL, 24);
	/* Each fault of a value is told. */
	assert_null(coerced(
	    "query ($a: [Int]) { f(r: 1) }", "{\"a\": [true, 1, \"x\"]}"));
	assert_int_equal(faults.count, 2);
}

static void
huge_lists_are_refused(void **state)
{
	(void)state;
	items_max = 3;
	gives("query ($a: [Int]) { f(r: 1) }", "{\"a\": [1, 2, 3]}",
	    "{\"r\":1,\"d\":7}");
	refused("query ($a: [Int]) { f(r: 1) }", "{\"a\": [1, 2, 3, 4]}", 8);
	assert_string_equal(faults.first->code, "too_many_items");
	refused("{ f(r: 1, ll: [[1, 2], 3]) }", NULL, 16);
	items_max = 0;
}

static void
memory_that_ends_is_an_error(void **state)
{
	const struct gql_document *d;
	const struct gql_field *f;
	const struct gql_selection *s;
	const struct json *values, *out;
	size_t limit = 0;
	int status = -1;

	(void)state;
	build();
	d = parse("query ($a: In = {a: 1}, $l: [Int]) { f(r: 1, in: $a, "
		  "e: A, one: {b: \"x\"}, id: 5, ll: [[1], $l]) }");
	s = d->definitions->set->first;
	f = gql_schema_field(schema, schema->roots[GQL_QUERY], "f", 1);
	for (; status != 0; limit += 16) {
		struct mem small;
		struct gql_coercion c = {
		    .mem = &small, .schema = schema, .faults = &faults};

		mem_create(&small, limit + 1);
		gql_faults_create(&faults, &small, 0);
		if (gql_variables_coerce(&c, d->definitions, NULL, &values) ==
		    0)
			status = gql_arguments_coerce(&c, f->args, f->arg_count,
			    s->arguments, s->at, values, &out);
		assert_true(status == 0 || mem_failed(&small));
		mem_destroy(&small);
	}
	assert_true(limit > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(literals_become_values_of_their_types),
	    TEST(literals_of_other_types_are_refused_where_they_stand),
	    TEST(variables_are_coerced_and_put_in),
	    TEST(variables_that_do_not_fit_are_refused_at_their_definition),
	    TEST(huge_lists_are_refused),
	    TEST(memory_that_ends_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
