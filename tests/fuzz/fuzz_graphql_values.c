/* fuzz_graphql_values.c - any JSON is a variable's value or a fault with a
 * place; what was coerced coerces to itself. */
#include "fuzz.h"

#include <string.h>

#include "graphql/values.h"

#define SDL                                                                    \
	"type Query { f(in: In, l: [[In!]!], one: One): Int } scalar When "    \
	"enum E { A B } input In { a: Int! b: [E!] = [A] c: In d: Float "      \
	"id: ID s: String t: Boolean w: When ll: [[Int]] o: One } "            \
	"input One @oneOf { a: Int b: String }"
#define QUERY                                                                  \
	"query ($in: In = {a: 1}, $l: [[In!]!], $one: One, $e: E!, "           \
	"$w: [When!]) { f }"

static const struct json *
coerced(struct mem *m, const struct gql_schema *schema,
    const struct gql_definition *operation, const struct json *given)
{
	struct gql_faults faults;
	struct gql_coercion c = {
	    .mem = m, .schema = schema, .faults = &faults, .items_max = 1000};
	const struct json *out;

	gql_faults_create(&faults, m, 0);
	if (gql_variables_coerce(&c, operation, given, &out) == 0) {
		MUST(faults.count == 0);
		return out;
	}
	MUST(faults.count > 0 && faults.first->places[0].line == 1);
	return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gql_document *sdl, *query;
	struct gql_schema *schema;
	struct gql_faults faults;
	struct gql_error e;
	const struct json *given, *once, *twice;
	struct err bad;
	struct mem m;

	mem_create(&m, 0);
	gql_faults_create(&faults, &m, 0);
	MUST(gql_parse(&m, SDL, sizeof(SDL) - 1, NULL, &sdl, &e) == 0);
	MUST(gql_schema_build(&m, sdl, &schema, &faults) == 0);
	MUST(gql_parse(&m, QUERY, sizeof(QUERY) - 1, NULL, &query, &e) == 0);
	if (json_parse(&m, (const char *)data, size, NULL, &given, &bad) == 0) {
		once = coerced(&m, schema, query->definitions, given);
		if (once != NULL) {
			twice = coerced(&m, schema, query->definitions, once);
			MUST(twice != NULL && json_equal(once, twice));
		}
	}
	mem_destroy(&m);
	return 0;
}
