/* test_document.c - what is read, and every fault with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document_support.h"

/* One bad node after the good node a, inside "{name: b, …}". */
static void
assert_node_fault(const char *keys, const char *expected)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "{\"nodes\":[{\"name\":\"a\"},\n{\"name\":\"b\",%s}]}", keys);
	if (json(text) != NULL)
		fail_msg("no fault: %s", keys);
	if (faults.count != 1)
		fail_msg("%zu faults: %s: %s, %s", faults.count, keys,
		    faults.list[0].message, faults.list[1].message);
	assert_fault(0, expected);
}

/* What is read ------------------------------------------------------------ */

static void
the_smallest_definition_is_valid(void **state)
{
	struct document *d =
	    json("{\"nodes\":[{\"name\":\"b\",\"dependencies\":[\"a\"]},"
		 "{\"name\":\"a\"}]}");

	(void)state;
	assert_non_null(d);
	assert_null(d->name);
	assert_string_equal(d->description, "");
	assert_int_equal(d->node_count, 2);
	assert_int_equal(d->dependency_count, 1);
	assert_int_equal(d->nodes[0].dependencies[0], 1);
	assert_int_equal(d->order[0], 1);
	assert_int_equal(d->order[1], 0);
}

static void
all_keys_are_read(void **state)
{
	const struct document_node *n;
	struct document *d = yaml("name: nightly\n"
				  "description: all keys\n"
				  "timeout: 10m\n"
				  "durability: sync\n"
				  "nodes:\n"
				  "  - name: a\n"
				  "  - name: b\n"
				  "    dependencies: [a]\n"
				  "    op: command\n"
				  "    with: {argv: [ls, -l]}\n"
				  "    when: nodes.a.status == 'success'\n"
				  "    trigger: all_done\n"
				  "    retry: {limit: 3, backoff: 500ms, "
				  "factor: 1.5, max: 30s, jitter: 0.25, "
				  "on: [timeout, http_status]}\n"
				  "    timeout: 1.5s\n");

	(void)state;
	assert_non_null(d);
	assert_string_equal(d->name, "nightly");
	assert_string_equal(d->description, "all keys");
	assert_int_equal(d->timeout_ns, 600000000000);
	assert_int_equal(d->durability, DURABILITY_SYNC);
	n = &d->nodes[1];
	assert_int_equal(n->op, 3);
	assert_int_equal(json_get(n->with, "argv")->count, 2);
	assert_string_equal(n->when, "nodes.a.status == 'success'");
	assert_int_equal(n->trigger, TRIGGER_ALL_DONE);
	assert_int_equal(n->retry.limit, 3);
	assert_int_equal(n->retry.backoff_ns, 500000000);
	assert_int_equal(n->retry.max_ns, 30000000000);
	assert_true(n->retry.factor > 1.49 && n->retry.factor < 1.51);
	assert_true(n->retry.jitter > 0.24 && n->retry.jitter < 0.26);
	assert_int_equal(n->retry.on_count, 2);
	assert_string_equal(n->retry.on[0], "http_status");
	assert_string_equal(n->retry.on[1], "timeout");
	assert_int_equal(n->timeout_ns, 1500000000);
}

static void
null_counts_as_left_out(void **state)
{
	struct document *d =
	    yaml("name: x\ndescription:\ntimeout:\ndurability:\nnodes:\n  - "
		 "name: a\n"
		 "    dependencies:\n    op:\n    with:\n    when:\n"
		 "    trigger:\n    retry:\n    timeout:\n");

	(void)state;
	assert_string_equal(canonical(d), "{\"nodes\":[{\"name\":\"a\"}]}");
}

static void
names_may_hold_more_than_letters(void **state)
{
	static const char *const good[] = {"a", "mProject_ID0000001", "a.b-c_d",
	    "two words", "4", "\xc3\xa9t\xc3\xa9", "a:b/c#d@e(f)[g]{h}", "-",
	    "\xf0\x9f\x98\x80"};
	static const char *const bad[] = {"", " a", "a ", "a\\\"b", "a'b",
	    "a`b", "a\\\\b", "a\\nb", "a\\tb", "a\\u007fb", "a\\u0085b",
	    "a\\u2028b"};
	char text[600];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "{\"nodes\":[{\"name\":\"%s\"}]}",
		    good[i]);
		assert_non_null(json(text));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "{\"nodes\":[{\"name\":\"%s\"}]}",
		    bad[i]);
		assert_null(json(text));
		assert_fault(0, "1:19 /nodes/0/name invalid_name");
	}
	snprintf(text, sizeof(text), "{\"nodes\":[{\"name\":\"%0200d\"}]}", 1);
	assert_non_null(json(text));
	snprintf(text, sizeof(text), "{\"nodes\":[{\"name\":\"%0201d\"}]}", 1);
	assert_null(json(text));
	assert_fault(0, "1:19 /nodes/0/name invalid_name");
}

/* Faults ------------------------------------------------------------------ */

static const struct {
	const char *keys, *expected;
} node_faults[] = {
    {"\"foo\":1", "2:13 /nodes/1/foo unknown_key"},
    {"\"x/~y\":1", "2:13 /nodes/1/x~1~0y unknown_key"},
    {"\"dependencies\":[\"zz\"]",
	"2:29 /nodes/1/dependencies/0 unknown_dependency"},
    {"\"dependencies\":[\"a\",\"b\"]",
	"2:33 /nodes/1/dependencies/1 self_dependency"},
    {"\"dependencies\":[\"a\",\"a\"]",
	"2:33 /nodes/1/dependencies/1 duplicate_dependency"},
    {"\"dependencies\":\"a\"", "2:28 /nodes/1/dependencies invalid_type"},
    {"\"dependencies\":[1]", "2:29 /nodes/1/dependencies/0 invalid_type"},
    {"\"op\":\"nix\"", "2:18 /nodes/1/op unknown_op"},
    {"\"op\":1", "2:18 /nodes/1/op invalid_type"},
    {"\"with\":[]", "2:20 /nodes/1/with invalid_type"},
    {"\"with\":{\"x\":1}", "2:21 /nodes/1/with/x unknown_parameter"},
    {"\"op\":\"delay\"", "2:1 /nodes/1 missing_parameter"},
    {"\"op\":\"delay\",\"with\":{}", "2:33 /nodes/1/with missing_parameter"},
    {"\"op\":\"delay\",\"with\":{\"duration\":5}",
	"2:45 /nodes/1/with/duration invalid_parameter"},
    {"\"op\":\"delay\",\"with\":{\"duration\":\"5\"}",
	"2:45 /nodes/1/with/duration invalid_parameter"},
    {"\"op\":\"delay\",\"with\":{\"duration\":\"2d\"}",
	"2:45 /nodes/1/with/duration invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"count\":0}",
	"2:40 /nodes/1/with/count invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"count\":1.5}",
	"2:40 /nodes/1/with/count invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"count\":\"x ${{ 1 }}\"}",
	"2:40 /nodes/1/with/count invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"ratio\":1.01}",
	"2:40 /nodes/1/with/ratio invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"flag\":null}",
	"2:39 /nodes/1/with/flag invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"flag\":\"true\"}",
	"2:39 /nodes/1/with/flag invalid_parameter"},
    {"\"op\":\"mix\",\"with\":{\"text_or_list\":{}}",
	"2:47 /nodes/1/with/text_or_list invalid_parameter"},
    {"\"op\":\"command\",\"with\":{\"argv\":[]}",
	"2:43 /nodes/1/with/argv invalid_parameter"},
    {"\"op\":\"command\",\"with\":{\"argv\":[1],\"shell\":\"x\"}",
	"2:35 /nodes/1/with/argv invalid_parameter"},
    {"\"op\":\"command\"", "2:1 /nodes/1 invalid_parameter"},
    {"\"op\":\"lua\",\"with\":{\"script\":\"x =\"}",
	"2:41 /nodes/1/with/script invalid_expression"},
    {"\"op\":\"lua\",\"with\":{\"script\":\"\\u001bLua\"}",
	"2:41 /nodes/1/with/script invalid_expression"},
    {"\"trigger\":\"some\"", "2:23 /nodes/1/trigger invalid_trigger"},
    {"\"trigger\":true", "2:23 /nodes/1/trigger invalid_trigger"},
    {"\"timeout\":\"5 s\"", "2:23 /nodes/1/timeout invalid_duration"},
    {"\"timeout\":\"0s\"", "2:23 /nodes/1/timeout invalid_duration"},
    {"\"timeout\":5", "2:23 /nodes/1/timeout invalid_type"},
    {"\"retry\":3", "2:21 /nodes/1/retry invalid_type"},
    {"\"retry\":{}", "2:21 /nodes/1/retry missing_key"},
    {"\"retry\":{\"limit\":101}", "2:30 /nodes/1/retry/limit invalid_retry"},
    {"\"retry\":{\"limit\":1.5}", "2:30 /nodes/1/retry/limit invalid_retry"},
    {"\"retry\":{\"limit\":1,\"factor\":0.5}",
	"2:41 /nodes/1/retry/factor invalid_retry"},
    {"\"retry\":{\"limit\":1,\"jitter\":2}",
	"2:41 /nodes/1/retry/jitter invalid_retry"},
    {"\"retry\":{\"limit\":1,\"max\":\"1ms\"}",
	"2:38 /nodes/1/retry/max invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":\"timeout\"}",
	"2:37 /nodes/1/retry/on invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":[]}",
	"2:37 /nodes/1/retry/on invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":[\"a\",\"B\"]}",
	"2:42 /nodes/1/retry/on/1 invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":[\"a\",7]}",
	"2:42 /nodes/1/retry/on/1 invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":[\"a\",\"b\",\"a\"]}",
	"2:46 /nodes/1/retry/on/2 invalid_retry"},
    {"\"retry\":{\"limit\":1,\"on\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\","
     "\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\","
     "\"q\"]}",
	"2:37 /nodes/1/retry/on invalid_retry"},
    {"\"retry\":{\"limit\":1,\"tries\":2}",
	"2:32 /nodes/1/retry/tries unknown_key"},
    {"\"when\":true", "2:20 /nodes/1/when invalid_type"},
    {"\"when\":\"\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"1,2\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"1;\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"1) + (2\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"1 end; do\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"${{ context.x }}\"", "2:20 /nodes/1/when invalid_expression"},
    {"\"when\":\"nodes.zz.status\"", "2:20 /nodes/1/when unknown_node"},
    {"\"when\":\"nodes.a.status\"", "2:20 /nodes/1/when not_an_ancestor"},
    {"\"when\":\"nodes.b.status\"", "2:20 /nodes/1/when not_an_ancestor"},
    {"\"when\":\"nodes['\\\\97'].status\"",
	"2:20 /nodes/1/when not_an_ancestor"},
    {"\"dependencies\":[\"a\"],\"when\":\"nodes.a.resutl\"",
	"2:41 /nodes/1/when invalid_expression"},
    {"\"op\":\"mix\",\"with\":{\"any\":[{\"k\":\"a${{ nodes.a."
     "result }}\"}]}",
	"2:44 /nodes/1/with/any/0/k not_an_ancestor"},
    {"\"op\":\"mix\",\"with\":{\"any\":\"${{ x\"}",
	"2:38 /nodes/1/with/any invalid_expression"},
    {"\"op\":\"lua\",\"with\":{\"script\":\"return nodes.a\"}",
	"2:41 /nodes/1/with/script not_an_ancestor"},
};

static void
every_kind_of_fault_has_its_code_and_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(node_faults) / sizeof(node_faults[0]);
	     i++)
		assert_node_fault(node_faults[i].keys, node_faults[i].expected);
}

static void
faults_of_the_root_are_reported(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
	    {"[]", "1:1  invalid_type"},
	    {"{}", "1:1  missing_key"},
	    {"{\"nodes\":null}", "1:1  missing_key"},
	    {"{\"nodes\":{}}", "1:10 /nodes invalid_type"},
	    {"{\"nodes\":[]}", "1:10 /nodes missing_key"},
	    {"{\"nodes\":[1]}", "1:11 /nodes/0 invalid_type"},
	    {"{\"nodes\":[{}]}", "1:11 /nodes/0 missing_key"},
	    {"{\"nodes\":[{\"name\":1}]}", "1:19 /nodes/0/name invalid_type"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"name\":\"x\"}",
		"1:25 /name unknown_key"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"timeout\":\"x\"}",
		"1:35 /timeout invalid_duration"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"durability\":\"Sync\"}",
		"1:38 /durability invalid_durability"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"priority\":101}",
		"1:36 /priority invalid_priority"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"priority\":\"high\"}",
		"1:36 /priority invalid_priority"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"priority\":1.5}",
		"1:36 /priority invalid_priority"},
	    {"{\"nodes\":[{\"name\":\"a\"}],\"durability\":1}",
		"1:38 /durability invalid_durability"},
	    {"{\"nodes\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
		"1:32 /nodes/1/name duplicate_node"},
	    {"{\"nodes\":[{\"name\":\"a\"}", "1:23  invalid_json"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(json(cases[i].text));
		assert_int_equal(faults.count, 1);
		assert_fault(0, cases[i].expected);
	}
	assert_null(yaml("nodes: [{name: a}]"));
	assert_fault(0, "1:1  missing_key");
	assert_null(yaml("name: 5\nnodes: [{name: a}]"));
	assert_fault(0, "1:7 /name invalid_type");
	assert_null(yaml("name: ' x'\nnodes: [{name: a}]"));
	assert_fault(0, "1:7 /name invalid_name");
	assert_null(yaml("name: x\ndescription: 1\nnodes: [{name: a}]"));
	assert_fault(0, "2:14 /description invalid_type");
}

static void
all_faults_come_at_once_in_order_of_place(void **state)
{
	(void)state;
	assert_null(yaml("name: bad\n"
			 "foo: 1\n"
			 "nodes:\n"
			 "  - name: a\n"
			 "    dependencies: [b, b, zz, a]\n"
			 "    op: delay\n"
			 "    with: {duration: 5}\n"
			 "  - name: b\n"
			 "    dependencies: [c]\n"
			 "    op: nix\n"
			 "    with: {x: 1}\n"
			 "  - name: c\n"
			 "    dependencies: [a]\n"
			 "    when: \"nodes.q.result > 1 and\"\n"
			 "  - name: c\n"));
	assert_int_equal(faults.count, 9);
	assert_fault(0, "2:1 /foo unknown_key");
	assert_fault(1, "5:19 /nodes/0/dependencies cycle");
	assert_string_equal(
	    faults.list[1].message, "There is a cycle: a -> c -> b -> a");
	assert_fault(2, "5:23 /nodes/0/dependencies/1 duplicate_dependency");
	assert_fault(3, "5:26 /nodes/0/dependencies/2 unknown_dependency");
	assert_fault(4, "5:30 /nodes/0/dependencies/3 self_dependency");
	assert_fault(5, "7:22 /nodes/0/with/duration invalid_parameter");
	assert_fault(6, "10:9 /nodes/1/op unknown_op");
	assert_fault(7, "14:11 /nodes/2/when invalid_expression");
	assert_fault(8, "15:11 /nodes/3/name duplicate_node");
}

static void
faults_beyond_the_most_are_counted(void **state)
{
	struct document_options options = {.ops = &test_ops};
	struct document *d;
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[1");
	for (int i = 1; i < 500; i++)
		buf_puts(&b, ",1");
	buf_puts(&b, "]}");
	faults_create(&faults, &m, 10);
	assert_int_equal(document_parse(&m, DOCUMENT_JSON, b.data, b.len,
			     &options, &faults, &d),
	    -1);
	assert_int_equal(faults.count, 500);
	assert_int_equal(faults.kept, 10);
	assert_fault(9, "1:29 /nodes/9 invalid_type");
	buf_free(&b);
}

static void
a_fault_in_a_script_names_its_line(void **state)
{
	(void)state;
	assert_null(yaml("name: x\nnodes:\n  - name: a\n    op: lua\n"
			 "    with:\n      script: |\n"
			 "        local a = 1\n        local b = = 2\n"));
	assert_fault(0, "6:15 /nodes/0/with/script invalid_expression");
	assert_string_equal(faults.list[0].message,
	    "Not a Lua script: line 2: unexpected symbol near '='.");
}

static void
limits_are_kept(void **state)
{
	struct document_limits limits = {
	    .bytes = 100, .nodes = 2, .dependencies = 1};
	struct document_options options = {.ops = &test_ops, .limits = &limits};
	const char *nodes = "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\"},"
			    "{\"name\":\"c\"}]}";
	const char *deps = "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
			   "\"dependencies\":[\"a\",\"a\"]}]}";
	char large[101];

	(void)state;
	read_as(DOCUMENT_JSON, nodes, strlen(nodes), &options);
	assert_fault(0, "1:10 /nodes too_many_nodes");
	read_as(DOCUMENT_JSON, deps, strlen(deps), &options);
	assert_fault(0, "1:10 /nodes too_many_dependencies");
	memset(large, ' ', sizeof(large));
	read_as(DOCUMENT_JSON, large, sizeof(large), &options);
	assert_fault(0, "0:0  document_too_large");
}

static void
ops_may_need_a_setting(void **state)
{
	const char *text = "{\"nodes\":[{\"name\":\"a\",\"op\":\"command\","
			   "\"with\":{\"shell\":\"ls\"}}]}";
	static const struct {
		const char *settings;
		bool allowed;
	} cases[] = {{"{}", false}, {"{\"allow_commands\":false}", false},
	    {"{\"allow_commands\":\"yes\"}", false},
	    {"{\"allow_commands\":true}", true}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct document_options options = {.ops = &test_ops};
		struct err e;

		assert_int_equal(
		    json_parse(&m, cases[i].settings, strlen(cases[i].settings),
			NULL, &options.settings, &e),
		    0);
		if (read_as(DOCUMENT_JSON, text, strlen(text), &options) !=
		    NULL) {
			assert_true(cases[i].allowed);
			continue;
		}
		assert_false(cases[i].allowed);
		assert_fault(0, "1:28 /nodes/0/op op_not_allowed");
	}
}

/* Sizes and memory -------------------------------------------------------- */

static void
a_document_of_four_megabytes_is_read(void **state)
{
	struct document *d;
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "name: large\nnodes:\n- name: n0\n");
	for (int i = 1; i < 100000; i++)
		buf_printf(
		    &b, "- {name: n%x, dependencies: [n%x]}\n", i, i - 1);
	while (b.len < (size_t)4 << 20)
		buf_putc(&b, '\n');
	d = read_as(DOCUMENT_YAML, b.data, b.len, NULL);
	assert_non_null(d);
	assert_int_equal(d->node_count, 100000);
	assert_int_equal(d->dependency_count, 99999);
	buf_putc(&b, '\n');
	assert_null(read_as(DOCUMENT_YAML, b.data, b.len, NULL));
	assert_fault(0, "0:0  document_too_large");
	buf_free(&b);
}

static const char every_feature[] =
    "name: x\n"
    "timeout: 1h\n"
    "nodes:\n"
    "  - name: a\n"
    "  - {name: b, dependencies: [a], when: nodes.a.status == 'success'}\n"
    "  - name: c\n"
    "    dependencies: [b]\n"
    "    op: command\n"
    "    when: nodes.a.result.x\n"
    "    with: {argv: [ls, '${{ nodes.a.result }}', 'x${{ 1 + 1 }}']}\n"
    "    retry: {limit: 1}\n"
    "  - name: d\n"
    "    dependencies: [c]\n"
    "    op: lua\n"
    "    with: {script: 'return nodes.b.result', input: {a: [1.5, ~]}}\n";

static void
running_out_of_memory_is_a_fault(void **state)
{
	struct document_options options = {
	    .ops = &test_ops, .name_required = true};
	struct document *d;
	struct buf b;
	int ret = -1;
	long n;

	(void)state;
	for (n = 0; ret != 0; n++) {
		mem_destroy(&m);
		mem_create(&m, 0);
		mem_fail_after(n);
		faults_create(&faults, &m, FAULTS_MAX);
		ret = document_parse(&m, DOCUMENT_YAML, every_feature,
		    strlen(every_feature), &options, &faults, &d);
		mem_fail_after(-1);
		if (ret != 0) {
			assert_true(faults.kept > 0);
			assert_string_equal(
			    faults.list[0].code, "out_of_memory");
		}
		assert_in_range(n, 0, 10000);
	}
	assert_true(n > 20);
	for (n = 0;; n++) {
		buf_create(&b, 0);
		mem_fail_after(n);
		document_canonical(d, &test_ops, &b);
		mem_fail_after(-1);
		if (!buf_failed(&b))
			break;
		buf_free(&b);
	}
	assert_string_equal(b.data, canonical(d));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_smallest_definition_is_valid),
	    cmocka_unit_test(all_keys_are_read),
	    cmocka_unit_test(null_counts_as_left_out),
	    cmocka_unit_test(names_may_hold_more_than_letters),
	    cmocka_unit_test(every_kind_of_fault_has_its_code_and_place),
	    cmocka_unit_test(faults_of_the_root_are_reported),
	    cmocka_unit_test(all_faults_come_at_once_in_order_of_place),
	    cmocka_unit_test(faults_beyond_the_most_are_counted),
	    cmocka_unit_test(a_fault_in_a_script_names_its_line),
	    cmocka_unit_test(limits_are_kept),
	    cmocka_unit_test(ops_may_need_a_setting),
	    cmocka_unit_test(a_document_of_four_megabytes_is_read),
	    cmocka_unit_test(running_out_of_memory_is_a_fault),
	};

	return cmocka_run_group_tests_name("document", tests, setup, teardown);
}
