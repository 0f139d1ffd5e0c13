/* test_eval.c - templates and conditions, with and without Lua. */
#include "call_fixture.h"

#include <cmocka.h>

static struct fixture f;
static struct lua_sandbox *lua;

static const char *const head = "name: t\n"
				"nodes:\n"
				"  - name: a\n"
				"  - name: b y\n"
				"  - name: n\n"
				"    dependencies: [a, 'b y']\n";

/* The node's parameters as JSON, or its error's code. */
static const char *
params_of(const char *with)
{
	static char text[4096];
	struct buf b;
	struct op_call *call;

	snprintf(text, sizeof(text),
	    "%s    op: command\n    with: {argv: [x], input: %s}\n", head,
	    with);
	fixture_open(&f, text);
	f.context = "{\"a\":{\"b\":[1,2.50,{\"c d\":null}]},\"s\":\"x\",\"t\":"
		    "true,\"n\":null,\"big\":9223372036854775807}";
	f.results[0] = "{\"total\":3,\"list\":[\"p\",\"q\"]}";
	f.statuses[0] = "success";
	f.statuses[1] = "skipped";
	call = fixture_call(&f, "n");
	call->driver = lua;
	buf_create(&b, 0);
	if (eval_params(call) == 0)
		json_write(&b, json_get(call->params, "input"));
	else
		buf_puts(&b, call->outcome.error_code);
	snprintf(text, sizeof(text), "%s", b.data);
	buf_free(&b);
	op_call_free(call);
	fixture_close(&f);
	return text;
}

static int
when_of(const char *expression)
{
	struct op_call *call;
	char text[1024];
	int rc;

	snprintf(text, sizeof(text), "%s    when: %s\n", head, expression);
	fixture_open(&f, text);
	f.context = "{\"yes\":true,\"no\":false,\"none\":null,\"zero\":0}";
	f.results[0] = "{\"total\":3}";
	f.statuses[0] = "success";
	call = fixture_call(&f, "n");
	call->driver = lua;
	rc = eval_when(call);
	op_call_free(call);
	fixture_close(&f);
	return rc;
}

static void
values_without_templates_stay_what_they_are(void **state)
{
	(void)state;
	assert_string_equal(
	    params_of("{z: [1, 2.5, true, null, 'x'], e: {}, l: []}"),
	    "{\"e\":{},\"l\":[],\"z\":[1,2.5,true,null,\"x\"]}");
	assert_string_equal(params_of("'$${{ no }}'"), "\"${{ no }}\"");
}

static void
a_string_that_is_one_path_keeps_the_type(void **state)
{
	(void)state;
	assert_string_equal(
	    params_of("'${{ context.a.b }}'"), "[1,2.50,{\"c d\":null}]");
	assert_string_equal(params_of("'${{ context.a.b[1] }}'"), "1");
	assert_string_equal(params_of("'${{ context.t }}'"), "true");
	assert_string_equal(
	    params_of("'${{ context.big }}'"), "9223372036854775807");
	assert_string_equal(
	    params_of("'${{ nodes.a.result.list[2] }}'"), "\"q\"");
	assert_string_equal(
	    params_of("'${{ nodes.a.status }}'"), "\"success\"");
	assert_string_equal(
	    params_of("'${{ nodes[\"b y\"].status }}'"), "\"skipped\"");
	assert_string_equal(params_of("'${{ execution.id }}'"),
	    "\"abababab-abab-abab-abab-abababababab\"");
}

static void
what_is_not_there_is_null(void **state)
{
	(void)state;
	assert_string_equal(params_of("'${{ context.missing }}'"), "null");
	assert_string_equal(params_of("'${{ context.n }}'"), "null");
	assert_string_equal(params_of("'${{ context.a.b[9] }}'"), "null");
	assert_string_equal(params_of("'${{ context.a.b.x }}'"), "null");
	assert_string_equal(
	    params_of("'${{ nodes[\"b y\"].result }}'"), "null");
}

static void
a_look_into_nothing_fails(void **state)
{
	(void)state;
	assert_string_equal(
	    params_of("'${{ context.missing.x }}'"), "invalid_reference");
	assert_string_equal(
	    params_of("'${{ nodes[\"b y\"].result.x }}'"), "invalid_reference");
	assert_string_equal(
	    params_of("'${{ (context.missing).x }}'"), "lua_error");
}

static void
inside_other_text_a_value_becomes_text(void **state)
{
	(void)state;
	assert_string_equal(
	    params_of("'<${{ context.s }}|${{ context.a.b[2] }}|${{ context.t "
		      "}}|${{ context.n }}|${{ nodes.a.result.list }}>'"),
	    "\"<x|2.50|true||[\\\"p\\\",\\\"q\\\"]>\"");
	assert_string_equal(
	    params_of("'${{ 1 + 1 }} and ${{ 7 / 2 }}'"), "\"2 and 3.5\"");
}

static void
lua_expressions_keep_the_type_too(void **state)
{
	(void)state;
	assert_string_equal(
	    params_of("'${{ nodes.a.result.total * 2 }}'"), "6");
	assert_string_equal(
	    params_of("'${{ {x = context.a.b[1], y = \"z\"} }}'"),
	    "{\"x\":1,\"y\":\"z\"}");
	assert_string_equal(params_of("'${{ context.n == nil }}'"), "true");
	assert_string_equal(params_of("'${{ #context.a.b }}'"), "3");
	assert_string_equal(params_of("'${{ nil }}'"), "null");
	assert_string_equal(params_of("'${{ 0/0 }}'"), "invalid_result");
}

static void
a_condition_is_false_for_false_and_null_only(void **state)
{
	(void)state;
	assert_int_equal(when_of("context.yes"), 1);
	assert_int_equal(when_of("context.no"), 0);
	assert_int_equal(when_of("context.none"), 0);
	assert_int_equal(when_of("context.missing"), 0);
	assert_int_equal(when_of("context.zero"), 1);
	assert_int_equal(when_of("nodes.a.result.total > 2"), 1);
	assert_int_equal(when_of("nodes.a.result.total > 3"), 0);
	assert_int_equal(when_of("nodes.a.status == 'success'"), 1);
	assert_int_equal(when_of("not context.missing"), 1);
	assert_int_equal(when_of("context.missing.x == 1"), -1);
	assert_int_equal(when_of("(function() end)"), 1);
}

static void
a_result_is_parsed_once_for_all_paths(void **state)
{
	struct op_call *call;
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
	    "%s    when: nodes.a.result.x\n    op: command\n"
	    "    with: {argv: ['${{ nodes.a.result.x }}', "
	    "'${{ nodes.a.result.y }}'], input: '${{ nodes.a.result }}'}\n",
	    head);
	fixture_open(&f, text);
	f.results[0] = "{\"x\":\"1\",\"y\":\"2\"}";
	call = fixture_call(&f, "n");
	assert_false(eval_needs_lua(call));
	assert_int_equal(eval_when(call), 1);
	assert_int_equal(eval_params(call), 0);
	assert_int_equal(f.looked, 1);
	op_call_free(call);
	fixture_close(&f);
}

static void
a_node_needs_lua_only_for_expressions(void **state)
{
	static const struct {
		const char *rest;
		bool lua;
	} cases[] = {{"", false}, {"    when: context.a\n", false},
	    {"    when: not context.a\n", true},
	    {"    op: delay\n    with: {duration: 1s}\n", false},
	    {"    op: command\n    with: {argv: ['${{ context.x }}']}\n",
		false},
	    {"    op: command\n    with: {argv: ['${{ 1 + 1 }}']}\n", true},
	    {"    op: command\n    with: {argv: [a], input: {a: [{b: "
	     "'x${{ -context.c }}'}]}}\n",
		true}};
	struct op_call *call;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", head, cases[i].rest);
		fixture_open(&f, text);
		call = fixture_call(&f, "n");
		assert_int_equal(eval_needs_lua(call), cases[i].lua);
		op_call_free(call);
		fixture_close(&f);
	}
}

static void
running_out_of_memory_is_a_failure_not_a_crash(void **state)
{
	struct op_call *call;
	char text[1024];
	int rc = -1;

	(void)state;
	snprintf(text, sizeof(text),
	    "%s    op: command\n    with: {argv: ['a${{ context.a }}', "
	    "'${{ nodes.a.result.x[2] }}'], input: {a: 'b'}}\n",
	    head);
	fixture_open(&f, text);
	f.context = "{\"a\":[1,2,3]}";
	f.results[0] = "{\"x\":[1,{\"y\":\"z\"}]}";
	for (long n = 0; rc != 0 && n < 1000; n++) {
		call = fixture_call(&f, "n");
		mem_fail_after(n);
		rc = eval_params(call);
		mem_fail_after(-1);
		if (rc != 0)
			assert_int_equal(call->outcome.state, OUTCOME_FAILED);
		op_call_free(call);
	}
	assert_int_equal(rc, 0);
	fixture_close(&f);
}

static const char *const each =
    "name: t\nnodes:\n  - name: a\n  - name: n\n    dependencies: [a]\n"
    "    for_each: '${{ nodes.a.result }}'\n    op: command\n"
    "    with: {argv: [x], input: ['${{ item.x[1] }}', '${{ index }}', "
    "'${{ item.x[1] + index }}', '<${{ item }}>', '${{ context.c }}']}\n";

static struct op_call *
list_call(void)
{
	struct op_call *call;

	fixture_open(&f, each);
	f.context = "{\"c\":[5]}";
	f.results[0] = "[{\"x\":[7]}, {\"x\":[8]} ]";
	call = fixture_call(&f, "n");
	call->part = CALL_LIST;
	call->count_max = 2;
	call->list_bytes = 100;
	return call;
}

static void
an_element_sees_item_and_index_and_what_its_list_has_parsed(void **state)
{
	struct op_call *list = list_call(), *call;
	const char *text;
	struct buf b;

	(void)state;
	assert_int_equal(eval_prepare(list), 1);
	assert_int_equal(list->count, 2);
	text = list->outcome.result;
	assert_string_equal(text, "[{\"x\":[7]},{\"x\":[8]}]");
	call = fixture_call(&f, "n");
	call->part = CALL_ELEMENT;
	call->element = 1;
	call->item = text + list->starts[1];
	call->item_len = list->starts[2] - 1 - list->starts[1];
	call->roots = list->roots;
	call->driver = lua;
	assert_true(eval_needs_lua(call));
	/* Only itself, as often as it is named: the context is parsed. */
	assert_int_equal(eval_bytes(call), 2 * call->item_len);
	f.context = "broken";
	assert_int_equal(eval_prepare(call), 1);
	buf_create(&b, 0);
	json_write(&b, json_get(call->params, "input"));
	assert_string_equal(b.data, "[8,1,9,\"<{\\\"x\\\":[8]}>\",[5]]");
	buf_free(&b);
	op_call_free(call);
	op_call_free(list);
	fixture_close(&f);
}

static void
a_list_is_bounded_and_must_be_one(void **state)
{
	static const char *const cases[][2] = {{"[1,2,3]", "too_many_elements"},
	    {"{\"a\":1}", "not_a_list"}, {"null", "not_a_list"},
	    {"\"[]\"", "not_a_list"},
	    {"[\"0123456789012345678901234567890123456789\","
	     "\"012345678901234567890123456789012345678901234567890123456789\""
	     "]",
		"result_too_large"}};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct op_call *list = list_call();

		f.results[0] = cases[i][0];
		assert_int_equal(eval_prepare(list), -1);
		assert_string_equal(list->outcome.error_code, cases[i][1]);
		assert_false(list->outcome.retryable);
		op_call_free(list);
		fixture_close(&f);
	}
}

static void
a_list_without_memory_is_a_failure_not_a_crash(void **state)
{
	int rc = -1;

	(void)state;
	for (long n = 0; rc != 1 && n < 1000; n++) {
		struct op_call *list = list_call();

		mem_fail_after(n);
		rc = eval_prepare(list);
		mem_fail_after(-1);
		if (rc != 1)
			assert_int_equal(list->outcome.state, OUTCOME_FAILED);
		op_call_free(list);
		fixture_close(&f);
	}
	assert_int_equal(rc, 1);
}

static void
a_delay_reads_its_duration(void **state)
{
	struct op_call *call;

	(void)state;
	fixture_open(&f, "name: t\nnodes:\n  - {name: a, op: delay, with: "
			 "{duration: '${{ context.d }}'}}\n");
	f.context = "{\"d\":\"1.5s\"}";
	call = fixture_call(&f, "a");
	assert_int_equal(eval_params(call), 0);
	assert_int_equal(call->op->delay(call), 1500000000);
	op_call_free(call);
	f.context = "{\"d\":12}";
	call = fixture_call(&f, "a");
	assert_int_equal(eval_params(call), 0);
	assert_int_equal(call->op->delay(call), -1);
	assert_string_equal(call->outcome.error_code, "invalid_parameter");
	op_call_free(call);
	fixture_close(&f);
}

static int
check_command(const char *json)
{
	const struct op *op = op_by_name("command");
	const struct json *v;
	struct err e;
	struct mem m;
	int rc;

	mem_create(&m, 0);
	assert_int_equal(json_parse(&m, json, strlen(json), NULL, &v, &e), 0);
	rc = op->schema.check(v, &e);
	mem_destroy(&m);
	return rc;
}

static void
a_command_takes_one_program_and_one_input(void **state)
{
	(void)state;
	assert_int_equal(check_command("{\"argv\":[\"a\"]}"), 0);
	assert_int_equal(check_command("{\"shell\":\"a\",\"input\":1}"), 0);
	assert_int_equal(check_command("{}"), -1);
	assert_int_equal(
	    check_command("{\"argv\":[\"a\"],\"shell\":\"b\"}"), -1);
	assert_int_equal(check_command("{\"argv\":[1]}"), -1);
	assert_int_equal(
	    check_command("{\"shell\":\"a\",\"input\":1,\"stdin\":\"x\"}"), -1);
	assert_int_equal(
	    check_command("{\"shell\":\"a\",\"env\":{\"A\":1}}"), -1);
	assert_int_equal(
	    check_command("{\"shell\":\"a\",\"env\":{\"A=\":\"1\"}}"), -1);
}

static void
ops_are_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < op_table_count; i++) {
		assert_ptr_equal(
		    op_by_name(op_table[i]->schema.name), op_table[i]);
		assert_ptr_equal(op_table_set()->ops[i], &op_table[i]->schema);
	}
	assert_null(op_by_name("nothing"));
}

static void
text_is_made_storable(void **state)
{
	struct mem m;
	size_t len;

	(void)state;
	mem_create(&m, 0);
	assert_string_equal(op_text(&m, "a\0b\xff\xc3\xa9", 6, &len),
	    "a\xEF\xBF\xBD"
	    "b\xEF\xBF\xBD\xc3\xa9");
	assert_int_equal(len, 10);
	assert_string_equal(
	    op_text(&m, "\xe2\x82", 2, &len), "\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_string_equal(op_text(&m, "", 0, &len), "");
	mem_destroy(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_without_templates_stay_what_they_are),
	    cmocka_unit_test(a_string_that_is_one_path_keeps_the_type),
	    cmocka_unit_test(what_is_not_there_is_null),
	    cmocka_unit_test(a_look_into_nothing_fails),
	    cmocka_unit_test(inside_other_text_a_value_becomes_text),
	    cmocka_unit_test(lua_expressions_keep_the_type_too),
	    cmocka_unit_test(a_condition_is_false_for_false_and_null_only),
	    cmocka_unit_test(a_result_is_parsed_once_for_all_paths),
	    cmocka_unit_test(a_node_needs_lua_only_for_expressions),
	    cmocka_unit_test(running_out_of_memory_is_a_failure_not_a_crash),
	    cmocka_unit_test(
		an_element_sees_item_and_index_and_what_its_list_has_parsed),
	    cmocka_unit_test(a_list_is_bounded_and_must_be_one),
	    cmocka_unit_test(a_list_without_memory_is_a_failure_not_a_crash),
	    cmocka_unit_test(a_delay_reads_its_duration),
	    cmocka_unit_test(a_command_takes_one_program_and_one_input),
	    cmocka_unit_test(ops_are_found_by_name),
	    cmocka_unit_test(text_is_made_storable),
	};
	struct lua_limits limits = {.time_ns = 1000000000,
	    .memory = 64u << 20,
	    .result_bytes = 1u << 20,
	    .log_bytes = 64u << 10};
	struct err e;
	int rc;

	lua = lua_sandbox_new(&limits, &e);
	rc = cmocka_run_group_tests_name("eval", tests, NULL, NULL);
	lua_sandbox_free(lua);
	return rc;
}
