/* test_graph.c - cycles, and references to nodes that are no ancestors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document_support.h"

static void
cycles_are_reported_with_their_paths(void **state)
{
	char message[ERR_MESSAGE_MAX];
	struct buf b;

	(void)state;
	assert_null(json("{\"nodes\":[{\"name\":\"r\"},"
			 "{\"name\":\"b\",\"dependencies\":[\"r\",\"a\"]},"
			 "{\"name\":\"a\",\"dependencies\":[\"b\"]},"
			 "{\"name\":\"c\",\"dependencies\":[\"a\",\"d\"]},"
			 "{\"name\":\"d\",\"dependencies\":[\"c\"]}]}"));
	assert_int_equal(faults.count, 2);
	assert_string_equal(
	    faults.list[0].message, "There is a cycle: b -> a -> b");
	assert_string_equal(
	    faults.list[1].message, "There is a cycle: c -> d -> c");

	/* a cycle of 1,000 nodes: the message stays short and whole */
	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[{\"name\":\"n0\","
		     "\"dependencies\":[\"n999\"]}");
	for (int i = 1; i < 1000; i++)
		buf_printf(&b, ",{\"name\":\"n%d\",\"dependencies\":[\"n%d\"]}",
		    i, i - 1);
	buf_puts(&b, "]}");
	assert_null(json(b.data));
	strcpy(message, faults.list[0].message);
	assert_non_null(
	    strstr(message, "There is a cycle: n0 -> n1 -> n2 -> "));
	assert_non_null(strstr(message, " more nodes) -> n0"));
	buf_free(&b);
}

/* References -------------------------------------------------------------- */

static void
references_to_ancestors_are_good(void **state)
{
	(void)state;
	assert_non_null(yaml(
	    "name: x\n"
	    "nodes:\n"
	    "  - name: a\n"
	    "  - {name: two words, dependencies: [a]}\n"
	    "  - {name: c, dependencies: [two words]}\n"
	    "  - name: d\n"
	    "    dependencies: [c]\n"
	    "    when: nodes.a.status == 'success' and "
	    "nodes['two words'].result.x or nodes[ [[a]] ].result\n"
	    "    op: lua\n"
	    "    with:\n"
	    "      input: ${{ {nodes.a.result, {{nodes.c.result}}} }}\n"
	    "      script: |\n"
	    "        -- nodes.nobody in a comment, \"nodes.x\" in a string\n"
	    "        local t = {nodes = 1, x = \"nodes.x\"}\n"
	    "        local all = t.nodes.x, context.nodes.y, "
	    "nodes[context.name]\n"
	    "        return nodes.a.result .. nodes[\"c\"].result\n"));
}

/* Random graphs: the fault must be there exactly if a plain search finds no
 * path. */
static bool
reaches(const bool *edge, unsigned n, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < n; i++)
		if (edge[from * n + i] && (i == to || reaches(edge, n, i, to)))
			return true;
	return false;
}

static void
references_are_judged_as_a_plain_search_would(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		unsigned n = 2 + (unsigned)rand() % 12, bad = 0, target[16];
		bool edge[16 * 16] = {false};
		struct buf b;

		/* dependencies have larger indexes than dependents */
		buf_create(&b, 0);
		buf_puts(&b, "{\"nodes\":[");
		for (unsigned i = 0; i < n; i++) {
			buf_printf(&b, "%s{\"name\":\"n%u\",\"dependencies\":[",
			    i > 0 ? "," : "", i);
			for (unsigned k = i + 1, any = 0; k < n; k++)
				if (rand() % 4 == 0) {
					edge[i * n + k] = true;
					buf_printf(&b, "%s\"n%u\"",
					    any++ > 0 ? "," : "", k);
				}
			target[i] = (unsigned)rand() % n;
			buf_printf(
			    &b, "],\"when\":\"nodes.n%u.status\"}", target[i]);
		}
		buf_puts(&b, "]}");
		for (unsigned i = 0; i < n; i++)
			bad += !reaches(edge, n, i, target[i]);
		assert_true((json(b.data) == NULL) == (bad > 0));
		assert_int_equal(faults.count, bad);
		for (size_t i = 0; i < faults.kept; i++) {
			unsigned node =
			    (unsigned)atoi(faults.list[i].pointer + 7);

			assert_string_equal(
			    faults.list[i].code, "not_an_ancestor");
			assert_false(reaches(edge, n, node, target[node]));
		}
		buf_free(&b);
		mem_reset(&m);
	}
}

static void
distant_references_are_checked_in_batches(void **state)
{
	struct buf b;
	int n = 3000;

	(void)state;
	/* two chains; each node looks at one in the middle of its chain, some
	 * at the other chain */
	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[{\"name\":\"a0\"},{\"name\":\"b0\"}");
	for (int i = 1; i < n; i++)
		buf_printf(&b,
		    ",{\"name\":\"a%d\",\"dependencies\":[\"a%d\"],"
		    "\"when\":\"nodes.%c%d.status\"}"
		    ",{\"name\":\"b%d\",\"dependencies\":[\"b%d\"],"
		    "\"when\":\"nodes.b%d.status\"}",
		    i, i - 1, i % 100 == 99 ? 'b' : 'a', i / 2, i, i - 1,
		    i / 3);
	buf_puts(&b, "]}");
	assert_null(json(b.data));
	assert_int_equal(faults.count, 30);
	for (size_t i = 0; i < faults.kept; i++)
		assert_string_equal(faults.list[i].code, "not_an_ancestor");
	assert_memory_equal(faults.list[0].pointer, "/nodes/198/when", 16);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cycles_are_reported_with_their_paths),
	    cmocka_unit_test(references_to_ancestors_are_good),
	    cmocka_unit_test(references_are_judged_as_a_plain_search_would),
	    cmocka_unit_test(distant_references_are_checked_in_batches),
	};

	return cmocka_run_group_tests_name("graph", tests, setup, teardown);
}
