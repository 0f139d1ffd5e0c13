/* fuzz_graphql_validate.c - any document against one schema: it is judged, and
 * what is valid can be reckoned, collected and introspected. */
#include "fuzz.h"

#include <string.h>

#include "graphql/introspect.h"
#include "graphql/validate.h"

static const char types[] =
    "directive @tag(n: Int!) repeatable on FIELD | QUERY\n"
    "interface Node { id: ID! }\n"
    "type Dog implements Node { id: ID! name(x: In): String owner: Human\n"
    "  friends(first: Int = 10): [Node!]! }\n"
    "type Human implements Node { id: ID! name: String! dogs: [Dog] }\n"
    "type DogConnection { nodes: [Dog!]! total: Int }\n"
    "union Pet = Dog | Human\n"
    "enum Color { RED GREEN }\n"
    "input One @oneOf { a: Int b: String }\n"
    "input In { n: Int! c: Color = RED l: [Int!] in: In one: One }\n"
    "scalar Any\n"
    "type Query { dog(id: ID!): Dog node: Node pet: Pet any(x: Any): Any\n"
    "  find(in: In, ids: [ID!], one: One): [Dog] a: Int\n"
    "  dogs(first: Int): DogConnection }\n"
    "type Subscription { dog: Dog a: Int }\n";

static struct mem types_mem;
static struct gql_schema *schema;

static void
build(void)
{
	struct gql_document *sdl;
	struct gql_faults faults;
	struct gql_error e;

	mem_create(&types_mem, 0);
	gql_faults_create(&faults, &types_mem, 0);
	MUST(gql_parse(&types_mem, types, strlen(types), NULL, &sdl, &e) == 0);
	MUST(gql_schema_build(&types_mem, sdl, &schema, &faults) == 0);
}

static void
introspect(struct gql_collector *c, const struct gql_collected *fields)
{
	struct gql_introspection in = {.collector = c, .limit = 1 << 16};
	struct gql_error e;
	struct buf out;

	for (; fields != NULL; fields = fields->next) {
		if (!gql_is_introspection(schema, fields))
			continue;
		buf_create(&out, 0);
		(void)gql_introspect(&in, fields, &out, &e);
		buf_free(&out);
	}
}

static void
use(struct mem *m, const struct gql_document *d)
{
	struct gql_collected *fields;
	struct gql_collector c;
	struct gql_cost cost;
	struct gql_error e;

	MUST(gql_collector_create(&c, m, schema, d, NULL, NULL) == 0);
	for (const struct gql_definition *o = d->definitions; o != NULL;
	     o = o->next) {
		if (o->kind != GQL_DEF_OPERATION)
			continue;
		if (gql_cost_check(
			m, schema, d, o, NULL, NULL, NULL, &cost, &e) != 0)
			MUST(e.code != NULL && e.at.line > 0);
		MUST(gql_collect(&c, schema->roots[o->operation], o->set,
			 &fields) == 0);
		if (o->operation == GQL_QUERY)
			introspect(&c, fields);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gql_document *d;
	struct gql_faults faults;
	struct gql_error e;
	struct mem m;

	if (schema == NULL)
		build();
	mem_create(&m, 0);
	gql_faults_create(&faults, &m, 0);
	if (gql_parse(&m, (const char *)data, size, NULL, &d, &e) == 0) {
		if (gql_validate(schema, d, &faults) == 0)
			use(&m, d);
		else
			MUST(
			    faults.count > 0 && faults.count <= faults.max + 1);
	}
	mem_destroy(&m);
	return 0;
}
