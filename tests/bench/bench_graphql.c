/* bench_graphql - reading a document of 100 KiB, as clients write them, beside
 * copying its bytes; requests to the server (graphql_server.h); other servers of
 * GraphQL (graphql_peers.h).
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS, _PEERS.
 */
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "graphql/ast.h"
#include "graphql_peers.h"

#define BYTES  (100u << 10)
#define ROUNDS 400

static void
put_field(struct buf *b, unsigned i)
{
	buf_printf(b,
	    "  dag%u: dag(id: $id) {\n    id\n    name\n    description\n"
	    "    creator { name email }\n"
	    "    executions(filters: {status: {in: [RUNNING, FAILED]}, "
	    "context: {contains: \"run-%u\"}}, first: $first, "
	    "sort: [{field: INSERTED_AT, order: DESC}]) {\n      nodes {\n"
	    "        id\n        status\n"
	    "        nodeExecutions @include(if: $nodes) {\n"
	    "          nodeName\n          durationMs\n"
	    "          ...NodeFields\n        }\n      }\n    }\n  }\n",
	    i, i);
}

static void
put_document(struct buf *b)
{
	buf_puts(
	    b, "query Q($id: ID!, $first: Int = 10, $nodes: Boolean!) {\n");
	for (unsigned i = 0; b->len < BYTES; i++)
		put_field(b, i);
	buf_puts(
	    b, "}\nfragment NodeFields on NodeExecution { id result error }\n");
}

static void
read_once(struct mem *m, const struct buf *b)
{
	struct gql_document *d;
	struct gql_error e;

	mem_reset(m);
	if (gql_parse(m, b->data, b->len, NULL, &d, &e) == 0)
		return;
	fprintf(stderr, "bench_graphql: %s\n", e.message);
	exit(1);
}

/* MB/s, of the best of five rounds. */
static double
best(const struct buf *b, struct mem *m, char *copy)
{
	double rate = 0;

	for (int round = 0; round < 5; round++) {
		int64_t start = clock_mono_ns();
		double here;

		for (int i = 0; i < ROUNDS; i++) {
			if (m != NULL) {
				read_once(m, b);
				continue;
			}
			memcpy(copy, b->data, b->len);
			__asm__ volatile("" : : "r"(copy) : "memory");
		}
		here = (double)b->len * ROUNDS * 1e3 /
		       (double)(clock_mono_ns() - start);
		if (here > rate)
			rate = here;
	}
	return rate;
}

static void
documents_compare(void)
{
	struct buf b;
	struct mem m;
	char *copy;

	buf_create(&b, 0);
	mem_create(&m, 0);
	put_document(&b);
	copy = malloc(b.len);
	if (buf_failed(&b) || copy == NULL)
		die("memory", "none left");
	table_row(&(struct row){.what = "GraphQL: a document of 100 KiB read",
	    .peer = "memcpy of its bytes",
	    .ours = best(&b, &m, NULL),
	    .theirs = best(&b, NULL, copy),
	    .unit = " MB/s"});
	table_row(&(struct row){.what = "GraphQL: a document of 100 KiB read",
	    .ours = best(&b, &m, NULL),
	    .unit = " MB/s",
	    .limit = 100,
	    .at_least = 1});
	free(copy);
	mem_destroy(&m);
	buf_free(&b);
}

int
main(void)
{
	table_head();
	documents_compare();
	server_compare();
	graphql_peers_compare();
	return 0;
}
