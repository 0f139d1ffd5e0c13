/* test_graphql_validate.c - rules of chapters 3 and 5, each with its place;
 * bombs; limits; introspection; collected fields.
 * long: one test for each rule, over one schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graphql/introspect.h"
#include "graphql/validate.h"

static const char types[] =
    "directive @tag(n: Int!) repeatable on FIELD\n"
    "directive @once on FIELD | QUERY\n"
    "interface Node { id: ID! }\n"
    "type Dog implements Node { id: ID! name: String barks: Boolean!\n"
    "  owner: Human friends(first: Int = 10): [Node!]! }\n"
    "type Human implements Node { id: ID! name: String! dogs: [Dog]\n"
    "  name2(upper: Boolean = false): String }\n"
    "type Cat { lives: Int }\n"
    "type DogConnection { nodes: [Dog!]! total: Int }\n"
    "union Pet = Dog | Cat\n"
    "enum Color { RED GREEN @deprecated(reason: \"no\") }\n"
    "input One @oneOf { a: Int b: String }\n"
    "input In { n: Int! c: Color = RED l: [Int!] in: In one: One }\n"
    "scalar Any @specifiedBy(url: \"https://any.test\")\n"
    "type Query { dog(id: ID!): Dog node: Node pet: Pet any(x: Any): Any\n"
    "  find(in: In, ids: [ID!], one: One, color: Color, f: Float): [Dog]\n"
    "  dogs(first: Int, filter: String): DogConnection old: Int @deprecated }\n"
    "type Mutation { bark(times: Int! = 1): Int }\n"
    "type Subscription { dog: Dog cat: Cat }\n";

struct world {
	struct mem m;
	struct gql_schema *schema;
	struct gql_faults faults;
	struct gql_document *document;
	struct gql_error e;
};

static int
build(struct world *w, const char *sdl)
{
	struct gql_document *d;

	gql_faults_create(&w->faults, &w->m, 0);
	if (gql_parse(&w->m, sdl, strlen(sdl), NULL, &d, &w->e) != 0)
		return -1;
	return gql_schema_build(&w->m, d, &w->schema, &w->faults);
}

static void
open_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	mem_create(&w->m, 0);
	assert_int_equal(build(w, types), 0);
}

static int
validate(struct world *w, const char *text)
{
	static const struct gql_limits large = {.bytes = 1u << 26,
	    .tokens = 1u << 22,
	    .fields = 1u << 22,
	    .aliases = 1u << 22,
	    .depth = 1000};

	gql_faults_create(&w->faults, &w->m, 0);
	assert_int_equal(
	    gql_parse(&w->m, text, strlen(text), &large, &w->document, &w->e),
	    0);
	return gql_validate(w->schema, w->document, &w->faults);
}

/* "1:2+1:3 4:5": places of a fault joined, faults apart. */
static const char *
places(const struct gql_faults *faults)
{
	static char text[2048];
	size_t n = 0;

	text[0] = '\0';
	for (const struct gql_fault *f = faults->first; f != NULL;
	     f = f->next) {
		if (f != faults->first)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " ");
		for (uint32_t i = 0; i < f->place_count; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s%u:%u", i > 0 ? "+" : "", f->places[i].line,
			    f->places[i].column);
	}
	return text;
}

struct claim {
	const char *name, *document, *places;
};

static const struct claim claims[] = {
    {"what_is_valid_is_accepted",
	"query Q($id: ID!, $f: Int = 3) { dog(id: $id) { ...D friends(first: "
	"$f) { id ... on Dog { barks } } } pet { __typename ... on Cat { lives "
	"} } any(x: {a: [1, RED]}) find(in: {n: 1, one: {a: 1}}, f: 1) { id } "
	"} fragment D on Dog { name @skip(if: true) @tag(n: 1) @tag(n: 2) }",
	""},
    {"only_operations_and_fragments_are_executable",
	"{ __typename } type T { a: Int }", "1:16"},
    {"an_operation_needs_its_root_type", "{ node { id } }", ""},
    {"operations_have_different_names",
	"query A { node { id } } query A { node { id } }", "1:7+1:31"},
    {"an_anonymous_operation_is_alone", "{ old } query A { old }", "1:1"},
    {"a_subscription_has_one_root_field",
	"subscription { dog { id } cat { lives } }", "1:27"},
    {"a_subscription_has_no_field_of_introspection",
	"subscription { __typename }", "1:16"},
    {"a_subscription_has_no_conditional_root_field",
	"subscription { dog @skip(if: true) { id } }", "1:20"},
    {"types_are_known", "{ ... on Nope { a } }", "1:10"},
    {"fields_are_known", "{ nope }", "1:3"},
    {"fields_of_unions_are_only_their_name", "{ pet { lives } }", "1:9"},
    {"fragments_are_on_composite_types", "{ ... on Color { a } }", "1:10"},
    {"leaves_have_no_selection", "{ old { a } }", "1:7"},
    {"objects_have_a_selection", "{ node }", "1:3"},
    {"arguments_are_known", "{ node(a: 1) { id } }", "1:8"},
    {"arguments_are_unique", "{ dogs(first: 1, first: 2, first: 3) { total } }",
	"1:8+1:18+1:28"},
    {"arguments_are_given_if_required", "{ dog { id } }", "1:3"},
    {"directives_are_known", "{ old @nope }", "1:7"},
    {"directives_stand_where_they_may", "query @tag(n: 1) { old }", "1:7"},
    {"directives_are_unique", "{ old @once @once }", "1:7+1:13"},
    {"arguments_of_directives_are_known", "{ old @once(a: 1) }", "1:13"},
    {"arguments_of_directives_are_given", "{ old @skip }", "1:7"},
    {"fragments_have_different_names",
	"{ node { ...A } } fragment A on Node { id } fragment A on Node { id "
	"}",
	"1:28+1:54"},
    {"fragments_are_known", "{ node { ...A } }", "1:13"},
    {"fragments_are_used", "{ old } fragment A on Node { id }", "1:9"},
    {"fragments_can_be_spread_where_they_are",
	"{ pet { ...H ... on Human { id } } } fragment H on Human { id }",
	"1:9 1:14"},
    {"fragments_are_not_within_themselves",
	"{ node { ...A } } fragment A on Node { ...B } fragment B on Node { "
	"...A }",
	"1:40+1:68"},
    {"integers_have_32_bits", "{ dogs(first: 2147483648) { total } }", "1:15"},
    {"strings_are_no_numbers", "{ find(f: \"1\") { id } }", "1:11"},
    {"numbers_are_ids", "{ dog(id: 1) { id } }", ""},
    {"enums_have_values", "{ find(color: BLUE) { id } }", "1:15"},
    {"enums_are_no_strings", "{ find(color: \"RED\") { id } }", "1:15"},
    {"lists_are_of_their_items", "{ find(ids: [1, null]) { id } }", "1:17"},
    {"one_item_is_a_list", "{ find(ids: 1) { id } }", ""},
    {"null_is_no_value_of_non_null", "{ dog(id: null) { id } }", "1:11"},
    {"input_fields_are_known", "{ find(in: {n: 1, x: 1}) { id } }", "1:19"},
    {"input_fields_are_given", "{ find(in: {}) { id } }", "1:12"},
    {"input_fields_are_unique", "{ find(in: {n: 1, n: 2}) { id } }",
	"1:13+1:19"},
    {"one_of_takes_exactly_one", "{ find(one: {a: 1, b: \"x\"}) { id } }",
	"1:13"},
    {"one_of_takes_no_null", "{ find(one: {a: null}) { id } }", "1:13"},
    {"variables_are_unique",
	"query ($a: Int, $a: Int) { dogs(first: $a) { total } }", "1:9+1:18"},
    {"variables_are_of_input_types", "query ($a: Dog) { any(x: $a) }",
	"1:12 1:8+1:26"},
    {"variables_are_defined", "{ dogs(first: $a) { total } }", "1:15+1:1"},
    {"variables_in_fragments_are_defined",
	"query A { ...F } fragment F on Query { dogs(first: $a) { total } }",
	"1:52+1:1"},
    {"variables_are_used", "query ($a: Int) { old }", "1:8"},
    {"variables_fit_where_they_are_used",
	"query ($a: String) { dogs(first: $a) { total } }", "1:8+1:34"},
    {"nullable_variables_are_not_required_ones",
	"query ($a: ID) { dog(id: $a) { id } }", "1:8+1:26"},
    {"a_default_makes_a_variable_fit",
	"query ($a: ID = 1) { dog(id: $a) { id } }", ""},
    {"defaults_of_variables_are_of_their_type",
	"query ($a: Int = \"x\") { dogs(first: $a) { total } }", "1:18"},
    {"fields_of_one_name_are_one_field", "{ a: old a: __typename }",
	"1:3+1:10"},
    {"fields_of_one_name_have_the_same_arguments",
	"{ dog(id: 1) { id } dog(id: 2) { id } }", "1:3+1:21"},
    {"fields_of_one_name_have_types_that_go_together",
	"{ node { ... on Dog { name } ... on Human { name } } }", "1:23+1:45"},
    {"fields_below_are_compared_too",
	"{ dog(id: 1) { x: id } dog(id: 1) { x: name } }",
	"1:3+1:16+1:24+1:37"},
    {"introspection_is_not_nested_for_ever",
	"{ __schema { types { fields { type { fields { type { fields { name } "
	"} } } } } } }",
	"1:3"},
};

static void
claim_holds(void **state)
{
	const struct claim *claim = *state;
	struct world w;
	int rc;

	open_world(&w);
	rc = validate(&w, claim->document);
	assert_string_equal(places(&w.faults), claim->places);
	assert_int_equal(rc, claim->places[0] == '\0' ? 0 : -1);
	mem_destroy(&w.m);
}

/* Schemas ------------------------------------------------------------------ */

#define Q "type Query { a: Int }\n"

static const struct claim schemas[] = {
    {"a_schema_is_built", Q, ""},
    {"a_schema_needs_queries", "type A { a: Int }", "!"},
    {"types_of_a_schema_are_unique", Q "scalar A scalar A", "2:8+2:17"},
    {"types_of_a_schema_are_known", "type Query { a: A }", "1:17"},
    {"fields_of_a_type_are_unique", "type Query { a: Int a: Int }",
	"1:14+1:21"},
    {"values_of_an_enum_are_unique", Q "enum E { A A }", "2:10+2:12"},
    {"arguments_of_a_field_are_unique", "type Query { a(x: Int x: Int): Int }",
	"1:16+1:23"},
    {"there_is_one_schema_definition",
	Q "schema { query: Query } schema { query: Query }", "2:25 2:10+2:34"},
    {"root_types_are_objects", Q "schema { query: S } scalar S", "2:17"},
    {"names_with_two_underscores_are_introspections", "type Query { __a: Int }",
	"1:14"},
    {"types_have_fields", Q "type T", "2:1"},
    {"fields_have_output_types", Q "type T { a: I } input I { a: Int }",
	"2:13"},
    {"arguments_have_input_types", "type Query { a(x: Query): Int }", "1:19"},
    {"interfaces_are_implemented",
	Q "interface I { a: Int b: Int } type T implements I { a: String }",
	"2:18+2:56 2:22+2:31"},
    {"interfaces_of_interfaces_are_implemented",
	Q "interface I { a: Int } interface J implements I { a: Int } type T "
	  "implements J { a: Int }",
	"2:47+2:78"},
    {"unions_have_objects", Q "union U = Int", "2:11"},
    {"extensions_extend_something", Q "extend type T { a: Int }", "2:13"},
    {"extensions_extend_the_same_kind", Q "scalar S extend type S { a: Int }",
	"2:1+2:10"},
    {"directives_of_a_schema_stand_where_they_may",
	Q "type T @oneOf { a: Int }", "2:8"},
    {"defaults_are_of_their_type", "type Query { a(x: Int = \"1\"): Int }",
	"1:25"},
    {"input_objects_are_finite", Q "input I { i: I! }", "2:11"},
    {"defaults_are_finite", Q "input I { i: I = {} }", "2:18"},
    {"one_of_fields_are_nullable", Q "input I @oneOf { a: Int! }", "2:21"},
    {"one_of_fields_have_no_default", Q "input I @oneOf { a: Int = 1 }",
	"2:18"},
    {"what_is_required_is_not_deprecated",
	"type Query { a(x: Int! @deprecated): Int }", "1:24+1:19"},
};

static void
schema_claim_holds(void **state)
{
	const struct claim *claim = *state;
	struct world w = {.schema = NULL};
	int rc;

	mem_create(&w.m, 0);
	rc = build(&w, claim->document);
	if (strcmp(claim->places, "!") != 0)
		assert_string_equal(places(&w.faults), claim->places);
	assert_int_equal(rc, claim->places[0] == '\0' ? 0 : -1);
	mem_destroy(&w.m);
}

/* Bombs -------------------------------------------------------------------- */

static char *
doubled_fragments(struct world *w, int levels)
{
	char *text = mem_strdup(&w->m, "{ node { ...F0 } }");

	for (int i = 0; i < levels; i++)
		text = mem_printf(&w->m,
		    "%s fragment F%d on Dog { owner { dogs { ...F%d ...F%d } "
		    "more: dogs { ...F%d ...F%d } } }",
		    text, i, i + 1, i + 1, i + 1, i + 1);
	return mem_printf(&w->m, "%s fragment F%d on Dog { id }", text, levels);
}

static void
doubled_fragments_are_not_written_out(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, doubled_fragments(&w, 60)), 0);
	mem_destroy(&w.m);
}

static void
doubled_fragments_cost_what_they_ask_and_not_what_they_say(void **state)
{
	struct gql_cost_limits limits = {.depth = 1000};
	struct gql_cost cost;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, doubled_fragments(&w, 60)), 0);
	assert_int_equal(
	    gql_cost_check(&w.m, w.schema, w.document, w.document->definitions,
		&limits, NULL, NULL, &cost, &w.e),
	    -1);
	assert_string_equal(w.e.code, "query_too_costly");
	assert_true(cost.cost == UINT64_MAX);
	assert_int_equal(cost.depth, 122);
	mem_destroy(&w.m);
}

static void
fragments_within_fragments_have_an_end(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, doubled_fragments(&w, 200)), -1);
	assert_string_equal(w.faults.first->code, "too_complex");
	mem_destroy(&w.m);
}

static char *
repeated(struct world *w, const char *fmt, unsigned n)
{
	struct buf b;
	char *text;

	buf_create(&b, 0);
	buf_putc(&b, '{');
	for (unsigned i = 0; i < n; i++) {
		buf_printf(&b, fmt, i);
		buf_putc(&b, ' ');
	}
	buf_putc(&b, '}');
	text = mem_strndup(&w->m, b.data, b.len);
	buf_free(&b);
	return text;
}

static void
a_hundred_thousand_aliases_are_looked_at_once(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(
	    validate(&w, repeated(&w, "a%u: node { id }", 100000)), 0);
	mem_destroy(&w.m);
}

static void
a_field_repeated_for_ever_is_refused(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, repeated(&w, "node { id }", 100000)), -1);
	assert_string_equal(w.faults.first->code, "too_complex");
	assert_int_equal(w.faults.count, 1);
	mem_destroy(&w.m);
}

static void
errors_end_after_a_hundred(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, repeated(&w, "nope%u", 100000)), -1);
	assert_int_equal(w.faults.count, 101);
	assert_true(w.faults.full);
	mem_destroy(&w.m);
}

static void
running_out_of_memory_is_told(void **state)
{
	static const char *const texts[] = {
	    "query Q($id: ID!) { dog(id: $id) { ...D ...D } a: old a: nope } "
	    "fragment D on Dog { name x: barks x: name }"};
	struct world w;
	long budget = 0;
	bool failed = true;

	(void)state;
	for (; failed; budget++) {
		memset(&w, 0, sizeof(w));
		mem_create(&w.m, 0);
		mem_fail_after(budget);
		if (build(&w, types) == 0) {
			gql_faults_create(&w.faults, &w.m, 0);
			if (gql_parse(&w.m, texts[0], strlen(texts[0]), NULL,
				&w.document, &w.e) == 0)
				assert_int_equal(gql_validate(w.schema,
						     w.document, &w.faults),
				    -1);
		}
		mem_fail_after(-1);
		failed = mem_failed(&w.m);
		mem_destroy(&w.m);
	}
	assert_true(budget > 2);
}

/* Costs -------------------------------------------------------------------- */

static uint64_t
cost_of(struct world *w, const char *text)
{
	struct gql_cost cost = {0, 0, 0};

	assert_int_equal(validate(w, text), 0);
	(void)gql_cost_check(&w->m, w->schema, w->document,
	    w->document->definitions, NULL, NULL, NULL, &cost, &w->e);
	return cost.cost;
}

static void
cost_is_objects_times_the_sizes_of_lists(void **state)
{
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(cost_of(&w, "{ old __typename }"), 0);
	assert_int_equal(cost_of(&w, "{ dog(id: 1) { owner { id } } }"), 2);
	assert_int_equal(
	    cost_of(&w, "{ dog(id: 1) { friends { ... on Dog { owner { id } "
			"} } } }"),
	    2 + 10);
	assert_int_equal(
	    cost_of(&w, "{ dog(id: 1) { friends(first: 4) { ...D } } } "
			"fragment D on Dog { owner { id } }"),
	    2 + 4);
	assert_int_equal(
	    cost_of(&w, "query ($n: Int = 7) { dogs(first: $n) { total nodes "
			"{ owner { id } } } }"),
	    1 + 7 + 1);
	mem_destroy(&w.m);
}

static void
limits_are_told_apart(void **state)
{
	struct gql_cost_limits limits = {.depth = 2, .root_fields = 2};
	struct gql_cost cost;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, "{ dog(id: 1) { owner { id } } }"), 0);
	assert_int_equal(
	    gql_cost_check(&w.m, w.schema, w.document, w.document->definitions,
		&limits, NULL, NULL, &cost, &w.e),
	    -1);
	assert_string_equal(w.e.code, "query_too_deep");
	assert_int_equal(validate(&w, "{ a: old ...F b: old } fragment F on "
				      "Query { c: old }"),
	    0);
	assert_int_equal(
	    gql_cost_check(&w.m, w.schema, w.document, w.document->definitions,
		&limits, NULL, NULL, &cost, &w.e),
	    -1);
	assert_string_equal(w.e.code, "too_many_root_fields");
	mem_destroy(&w.m);
}

/* Collected fields and introspection --------------------------------------- */

static bool
always(void *arg, const struct gql_name *name)
{
	(void)arg;
	(void)name;
	return true;
}

static void
fields_come_in_the_specifications_order(void **state)
{
	static const char text[] =
	    "query ($v: Boolean!) { b: old ...F old b: old gone: old @skip(if: "
	    "$v) } fragment F on Query { z: old b: old ...F2 } fragment F2 on "
	    "Query { y: old @include(if: $v) }";
	static const char *const names[] = {"b", "z", "y", "old"};
	struct gql_collected *fields;
	struct gql_collector c;
	struct world w;

	(void)state;
	open_world(&w);
	assert_int_equal(validate(&w, text), 0);
	assert_int_equal(
	    gql_collector_create(&c, &w.m, w.schema, w.document, always, NULL),
	    0);
	assert_int_equal(gql_collect(&c, w.schema->roots[GQL_QUERY],
			     w.document->definitions->set, &fields),
	    0);
	assert_int_equal(fields->node_count, 3);
	for (size_t i = 0; i < 4; i++, fields = fields->next)
		assert_true(
		    gql_name_is(&fields->response, names[i], strlen(names[i])));
	assert_null(fields);
	mem_destroy(&w.m);
}

static char *
introspect(struct world *w, const char *text, size_t limit, int *rc)
{
	struct gql_introspection in = {.limit = limit};
	struct gql_collected *fields;
	struct gql_collector c;
	struct buf out;
	char *copy;

	assert_int_equal(validate(w, text), 0);
	assert_int_equal(
	    gql_collector_create(&c, &w->m, w->schema, w->document, NULL, NULL),
	    0);
	assert_int_equal(gql_collect(&c, w->schema->roots[GQL_QUERY],
			     w->document->definitions->set, &fields),
	    0);
	assert_true(gql_is_introspection(w->schema, fields));
	in.collector = &c;
	buf_create(&out, 0);
	*rc = gql_introspect(&in, fields, &out, &w->e);
	copy = mem_strndup(&w->m, out.data == NULL ? "" : out.data, out.len);
	buf_free(&out);
	return copy;
}

static void
introspection_tells_of_types(void **state)
{
	struct world w;
	int rc;

	(void)state;
	open_world(&w);
	assert_string_equal(
	    introspect(&w,
		"{ __type(name: \"Color\") { kind name enumValues { name } "
		"all: enumValues(includeDeprecated: true) { name "
		"deprecationReason } fields { name } __typename } }",
		0, &rc),
	    "{\"kind\":\"ENUM\",\"name\":\"Color\",\"enumValues\":[{\"name\":"
	    "\"RED\"}],\"all\":[{\"name\":\"RED\",\"deprecationReason\":null},"
	    "{\"name\":\"GREEN\",\"deprecationReason\":\"no\"}],\"fields\":"
	    "null,\"__typename\":\"__Type\"}");
	assert_int_equal(rc, 0);
	assert_string_equal(
	    introspect(&w,
		"{ __type(name: \"In\") { isOneOf inputFields { name "
		"defaultValue type { kind ofType { name } } } } }",
		0, &rc),
	    "{\"isOneOf\":false,\"inputFields\":["
	    "{\"name\":\"n\",\"defaultValue\":null,\"type\":{\"kind\":\"NON_"
	    "NULL\",\"ofType\":{\"name\":\"Int\"}}},"
	    "{\"name\":\"c\",\"defaultValue\":\"RED\",\"type\":{\"kind\":"
	    "\"ENUM\",\"ofType\":null}},"
	    "{\"name\":\"l\",\"defaultValue\":null,\"type\":{\"kind\":\"LIST\""
	    ",\"ofType\":{\"name\":null}}},"
	    "{\"name\":\"in\",\"defaultValue\":null,\"type\":{\"kind\":"
	    "\"INPUT_OBJECT\",\"ofType\":null}},"
	    "{\"name\":\"one\",\"defaultValue\":null,\"type\":{\"kind\":"
	    "\"INPUT_OBJECT\",\"ofType\":null}}]}");
	assert_string_equal(
	    introspect(&w, "{ __type(name: \"Nope\") { name } }", 0, &rc),
	    "null");
	mem_destroy(&w.m);
}

static void
introspection_is_bounded(void **state)
{
	struct world w;
	int rc;

	(void)state;
	open_world(&w);
	(void)introspect(&w, "{ __schema { types { name } } }", 100, &rc);
	assert_int_equal(rc, -1);
	assert_string_equal(w.e.code, "response_too_large");
	mem_destroy(&w.m);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
main(void)
{
	static const struct CMUnitTest others[] = {
	    cmocka_unit_test(doubled_fragments_are_not_written_out),
	    cmocka_unit_test(
		doubled_fragments_cost_what_they_ask_and_not_what_they_say),
	    cmocka_unit_test(fragments_within_fragments_have_an_end),
	    cmocka_unit_test(a_hundred_thousand_aliases_are_looked_at_once),
	    cmocka_unit_test(a_field_repeated_for_ever_is_refused),
	    cmocka_unit_test(errors_end_after_a_hundred),
	    cmocka_unit_test(running_out_of_memory_is_told),
	    cmocka_unit_test(cost_is_objects_times_the_sizes_of_lists),
	    cmocka_unit_test(limits_are_told_apart),
	    cmocka_unit_test(fields_come_in_the_specifications_order),
	    cmocka_unit_test(introspection_tells_of_types),
	    cmocka_unit_test(introspection_is_bounded),
	};
	struct CMUnitTest tests[COUNT(claims) + COUNT(schemas) + COUNT(others)];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(claims); i++)
		tests[n++] = (struct CMUnitTest){claims[i].name, claim_holds,
		    NULL, NULL, (void *)(uintptr_t)&claims[i]};
	for (size_t i = 0; i < COUNT(schemas); i++)
		tests[n++] =
		    (struct CMUnitTest){schemas[i].name, schema_claim_holds,
			NULL, NULL, (void *)(uintptr_t)&schemas[i]};
	for (size_t i = 0; i < COUNT(others); i++)
		tests[n++] = others[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
