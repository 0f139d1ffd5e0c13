/* test_for_each.c - what a document may say about for_each and concurrency, and
 * what becomes of it in its canonical form, its export and its plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document_support.h"

#include "dag/template.h"

/* One bad node after the good node a, inside "{name: b, …}". */
static void
assert_node_fault(const char *keys, const char *expected)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "{\"nodes\":[{\"name\":\"a\"},\n{\"name\":\"b\",%s}]}", keys);
	if (json(text) != NULL)
		fail_msg("no fault: %s", keys);
	assert_int_equal(faults.count, 1);
	assert_fault(0, expected);
}

static const char fanned[] =
    "name: x\n"
    "nodes:\n"
    "  - name: a\n"
    "  - name: list\n"
    "    for_each: [1, two, {three: '${{ context.x }}'}]\n"
    "  - name: path\n"
    "    dependencies: [a]\n"
    "    for_each: ${{ nodes.a.result }}\n"
    "    concurrency: 3\n"
    "    op: delay\n"
    "    with: {duration: '${{ item.wait }}'}\n"
    "  - name: lua\n"
    "    for_each: '${{ {1, 2} }}'\n"
    "    concurrency: 100\n";

static void
lists_and_expressions_are_read(void **state)
{
	struct document *d = yaml(fanned);

	(void)state;
	assert_non_null(d);
	assert_null(d->nodes[0].for_each);
	assert_int_equal(d->nodes[0].concurrency, 0);
	assert_int_equal(d->nodes[1].for_each->count, 3);
	assert_int_equal(d->nodes[1].concurrency, CONCURRENCY_DEFAULT);
	assert_int_equal(d->nodes[2].concurrency, 3);
}

static void
the_canonical_form_leaves_the_default_concurrency_out(void **state)
{
	(void)state;
	assert_string_equal(canonical(yaml(fanned)),
	    "{\"nodes\":[{\"name\":\"a\"},"
	    "{\"for_each\":[1,\"two\",{\"three\":\"${{ context.x }}\"}],"
	    "\"name\":\"list\"},"
	    "{\"concurrency\":3,\"dependencies\":[\"a\"],"
	    "\"for_each\":\"${{ nodes.a.result }}\",\"name\":\"path\","
	    "\"op\":\"delay\",\"with\":{\"duration\":\"${{ item.wait }}\"}},"
	    "{\"for_each\":\"${{ {1, 2} }}\",\"name\":\"lua\"}]}");
}

static void
an_export_reads_back_to_the_same(void **state)
{
	const char *form = canonical(yaml(fanned));
	const struct json *tree;
	struct document *again;
	struct buf b;
	struct err e;

	(void)state;
	assert_int_equal(
	    json_parse(&m, form, strlen(form), NULL, &tree, &e), 0);
	buf_create(&b, 0);
	document_to_yaml("x", "", tree, &b);
	again = yaml(b.data);
	assert_string_equal(canonical(again), form);
	buf_free(&b);
}

static void
faults_have_their_places(void **state)
{
	(void)state;
	assert_node_fault(
	    "\"for_each\":5", "2:24 /nodes/1/for_each invalid_for_each");
	assert_node_fault(
	    "\"for_each\":{}", "2:24 /nodes/1/for_each invalid_for_each");
	assert_node_fault(
	    "\"for_each\":\"1, 2\"", "2:24 /nodes/1/for_each invalid_for_each");
	assert_node_fault("\"for_each\":\"x${{ context.list }}\"",
	    "2:24 /nodes/1/for_each invalid_for_each");
	assert_node_fault("\"for_each\":\"${{ }}\"",
	    "2:24 /nodes/1/for_each invalid_expression");
	assert_node_fault("\"for_each\":\"${{ 1 + }}\"",
	    "2:24 /nodes/1/for_each invalid_expression");
	assert_node_fault("\"for_each\":[1,[\"${{ 1 + }}\"]]",
	    "2:28 /nodes/1/for_each/1/0 invalid_expression");
	assert_node_fault("\"for_each\":\"${{ nodes.z.result }}\"",
	    "2:24 /nodes/1/for_each unknown_node");
	assert_node_fault("\"for_each\":\"${{ nodes.a.result }}\"",
	    "2:24 /nodes/1/for_each not_an_ancestor");
	assert_node_fault("\"for_each\":\"${{ nodes.b.result }}\"",
	    "2:24 /nodes/1/for_each not_an_ancestor");
	assert_node_fault("\"for_each\":\"${{ secrets.hosts }}\"",
	    "2:24 /nodes/1/for_each secret_not_allowed");
	assert_node_fault("\"for_each\":[\"${{ secrets.host }}\"]",
	    "2:25 /nodes/1/for_each/0 secret_not_allowed");
	assert_node_fault("\"concurrency\":3",
	    "2:27 /nodes/1/concurrency invalid_concurrency");
	assert_node_fault("\"for_each\":[],\"concurrency\":0",
	    "2:41 /nodes/1/concurrency invalid_concurrency");
	assert_node_fault("\"for_each\":[],\"concurrency\":100001",
	    "2:41 /nodes/1/concurrency invalid_concurrency");
	assert_node_fault("\"for_each\":[],\"concurrency\":\"3\"",
	    "2:41 /nodes/1/concurrency invalid_concurrency");
}

static const struct plan_node *
compiled(struct plan **p, const char *text)
{
	struct err e;

	*p = plan_compile(json(text), &test_ops, &e);
	assert_non_null(*p);
	assert_int_equal(plan_check(*p, (*p)->size, &e), 0);
	return plan_nodes(*p);
}

static const struct template_value *
value_at(const struct plan *p, uint64_t offset)
{
	return plan_at(p, (uint32_t)offset);
}

/* The first parameter's value. */
static const struct template_value *
first_param(const struct plan *p, const struct plan_node *n)
{
	return &value_at(p, value_at(p, n->with)->offset)[1];
}

static void
item_and_index_are_known_only_in_parameters_of_such_a_node(void **state)
{
	struct plan *p;
	const struct plan_node *n = compiled(&p,
	    "{\"nodes\":[{\"name\":\"a\",\"for_each\":\"${{ item }}\","
	    "\"when\":\"index\",\"op\":\"mix\","
	    "\"with\":{\"any\":\"${{ item.x }}\"}},"
	    "{\"name\":\"b\",\"op\":\"mix\","
	    "\"with\":{\"any\":\"${{ item.x }}\"}}]}");
	const struct template_value *v = first_param(p, &n[0]);
	const struct template_step *s = plan_at(p, (uint32_t)v->offset);

	(void)state;
	assert_int_equal(v->type, TEMPLATE_PATH);
	assert_int_equal(s->value, ROOT_ITEM);
	/* Elsewhere they are names like any other that Lua has never heard of.
	 */
	assert_int_equal(value_at(p, n[0].for_each)->type, TEMPLATE_LUA);
	assert_int_equal(value_at(p, n[0].when)->type, TEMPLATE_LUA);
	assert_int_equal(first_param(p, &n[1])->type, TEMPLATE_LUA);
	free(p);
}

static void
a_noop_for_each_element_is_not_pure(void **state)
{
	struct plan *p;
	const struct plan_node *n =
	    compiled(&p, "{\"nodes\":[{\"name\":\"a\",\"for_each\":[]}]}");

	(void)state;
	assert_int_equal(n[0].flags, PLAN_NODE_STATIC | PLAN_NODE_LEAF);
	free(p);
}

static void
running_out_of_memory_is_said(void **state)
{
	struct document_options options = {
	    .ops = &test_ops, .name_required = true};
	struct document *d = NULL;
	struct mem scratch;
	long n;

	(void)state;
	for (n = 0; d == NULL; n++) {
		struct faults f;

		mem_fail_after(n);
		mem_create(&scratch, 0);
		faults_create(&f, &scratch, 10);
		if (document_parse(&scratch, DOCUMENT_YAML, fanned,
			strlen(fanned), &options, &f, &d) != 0)
			assert_true(f.count > 0);
		mem_fail_after(-1);
		mem_destroy(&scratch);
		assert_in_range(n, 0, 5000);
	}
	assert_true(n > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_and_expressions_are_read),
	    cmocka_unit_test(
		the_canonical_form_leaves_the_default_concurrency_out),
	    cmocka_unit_test(an_export_reads_back_to_the_same),
	    cmocka_unit_test(faults_have_their_places),
	    cmocka_unit_test(
		item_and_index_are_known_only_in_parameters_of_such_a_node),
	    cmocka_unit_test(a_noop_for_each_element_is_not_pure),
	    cmocka_unit_test(running_out_of_memory_is_said),
	};

	return cmocka_run_group_tests_name("for_each", tests, setup, teardown);
}
