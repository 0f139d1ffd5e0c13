/* test_lua.c - what scripts can do, and all they can't.
 * long: one list of attacks, read as one. */
#include "call_fixture.h"

#include <cmocka.h>

#define MEMORY (64u << 20)

static struct fixture f;
static struct lua_sandbox *lua;

static const char *const plan = "name: t\n"
				"nodes:\n"
				"  - name: a\n"
				"  - name: b y\n"
				"    dependencies: [a]\n"
				"  - name: other\n"
				"  - name: n\n"
				"    dependencies: ['b y']\n"
				"  - name: later\n"
				"    dependencies: [n]\n";

static struct op_call *
run_with(const char *script, size_t len, const char *input)
{
	struct op_call *call = fixture_call(&f, "n");
	const struct json *value = NULL;
	struct json text = {
	    .type = JSON_STRING, .string = script, .count = (uint32_t)len};
	struct err e;

	if (input != NULL)
		assert_int_equal(json_parse(&call->mem, input, strlen(input),
				     NULL, &value, &e),
		    0);
	lua_sandbox_script(lua, call, &text, value);
	return call;
}

static struct op_call *
run(const char *script)
{
	return run_with(script, strlen(script), NULL);
}

/* The result, or "code: message". */
static const char *
outcome(const char *script)
{
	static char text[8192];
	struct op_call *call = run(script);
	const struct op_outcome *o = &call->outcome;

	if (o->state == OUTCOME_SUCCESS)
		snprintf(text, sizeof(text), "%s",
		    o->result != NULL ? o->result : "nothing");
	else
		snprintf(text, sizeof(text), "%s: %s", o->error_code, o->error);
	op_call_free(call);
	return text;
}

static void
expect_code(const char *script, const char *code)
{
	const char *got = outcome(script);

	if (strncmp(got, code, strlen(code)) != 0)
		fail_msg("%s gave %s", script, got);
}

static int
set_up(void **state)
{
	(void)state;
	fixture_open(&f, plan);
	f.context = "{\"n\":null,\"i\":3,\"f\":3.0,\"s\":\"\xc3\xa9\","
		    "\"list\":[1,null,3],\"empty\":[],\"none\":{},\"b\":false}";
	f.results[0] = "{\"x\":[1,2,3]}";
	f.results[1] = "\"text\"";
	f.results[2] = "1";
	f.statuses[0] = "success";
	f.statuses[1] = "failed";
	f.statuses[2] = "success";
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fixture_close(&f);
	return 0;
}

/* --- values ------------------------------------------------------------------ */

static void
every_type_comes_out_as_json(void **state)
{
	(void)state;
	assert_string_equal(outcome(""), "nothing");
	assert_string_equal(outcome("return nil"), "nothing");
	assert_string_equal(outcome("return null"), "null");
	assert_string_equal(outcome("return true"), "true");
	assert_string_equal(outcome("return 42"), "42");
	assert_string_equal(outcome("return 42.0"), "42.0");
	assert_string_equal(outcome("return 0.1"), "0.1");
	assert_string_equal(
	    outcome("return math.mininteger"), "-9223372036854775808");
	assert_string_equal(outcome("return 'a\"b'"), "\"a\\\"b\"");
	assert_string_equal(outcome("return {1, 'b', {}}"), "[1,\"b\",{}]");
	assert_string_equal(outcome("return {b = 1, a = {c = false}}"),
	    "{\"a\":{\"c\":false},\"b\":1}");
	assert_string_equal(outcome("return 1, 2"), "1");
}

static void
an_empty_table_is_an_object_unless_it_is_an_array(void **state)
{
	(void)state;
	assert_string_equal(outcome("return {}"), "{}");
	assert_string_equal(outcome("return array()"), "[]");
	assert_string_equal(outcome("return array({})"), "[]");
	assert_string_equal(
	    outcome("local t = array() t[1] = 5 return {t = t}"),
	    "{\"t\":[5]}");
	assert_string_equal(outcome("return array({1, nil, 3})"), "[1,null,3]");
	assert_string_equal(outcome("return {1, null, 3}"), "[1,null,3]");
	assert_string_equal(
	    outcome("return {context.empty, context.none}"), "[[],{}]");
}

static void
the_context_comes_back_as_it_was(void **state)
{
	(void)state;
	assert_string_equal(outcome("return context"),
	    "{\"b\":false,\"empty\":[],\"f\":3.0,\"i\":3,\"list\":[1,null,3],"
	    "\"none\":{},\"s\":\"\xc3\xa9\"}");
	assert_string_equal(
	    outcome("return {math.type(context.i), math.type(context.f), "
		    "context.n == nil, context.missing == nil}"),
	    "[\"integer\",\"float\",true,true]");
}

static void
what_json_has_not_is_refused_with_its_place(void **state)
{
	(void)state;
	assert_string_equal(outcome("return {a = {1, {b = print}}}"),
	    "invalid_result: value.a[2].b is a function, which JSON has not");
	assert_string_equal(outcome("return 0/0"),
	    "invalid_result: value is not a finite number");
	expect_code("return 1/0", "invalid_result");
	expect_code("return -math.huge", "invalid_result");
	expect_code("return '\\xff'", "invalid_result");
	expect_code("return 'a\\0b'", "invalid_result");
	expect_code("return {['\\xff'] = 1}", "invalid_result");
	expect_code("return {[true] = 1}", "invalid_result");
	expect_code("return {[1.5] = 1}", "invalid_result");
	expect_code("return {1, x = 2}", "invalid_result");
	expect_code("return {1, nil, 3}", "invalid_result");
	expect_code("return {[0] = 1}", "invalid_result");
	expect_code("return array({[1000000000] = 1})", "invalid_result");
	expect_code("local t = {} t.t = t return t", "invalid_result");
	expect_code("local t = {} for i = 1, 300 do t = {t} end return t",
	    "invalid_result");
	expect_code("return nodes", "invalid_result");
	expect_code("return coroutine.create(print)", "invalid_result");
}

static void
a_result_over_the_limit_fails(void **state)
{
	(void)state;
	expect_code("return ('x'):rep(1 << 20)", "result_too_large");
	expect_code("local t = {} for i = 1, 600000 do t[i] = i end return t",
	    "result_too_large");
	/* 2^60 values, in a graph of sixty */
	expect_code("local t = {} for i = 1, 60 do t = {t, t} end return t",
	    "result_too_large");
}

/* --- what a script sees ------------------------------------------------------- */

static void
ancestors_are_visible_and_nothing_else(void **state)
{
	(void)state;
	assert_string_equal(outcome("return nodes['b y'].result"), "\"text\"");
	assert_string_equal(outcome("return nodes.a.result.x[3]"), "3");
	assert_string_equal(
	    outcome("return {nodes.a.status, nodes['b y'].status}"),
	    "[\"success\",\"failed\"]");
	assert_string_equal(outcome("return nodes.other.result"),
	    "lua_error: script:1: node 'other' is not an ancestor of 'n'");
	expect_code("return nodes.later", "lua_error");
	expect_code("return nodes.n.result", "lua_error");
	assert_string_equal(outcome("return nodes.x"),
	    "lua_error: script:1: there is no node 'x'");
	expect_code("return nodes.a.reslt", "lua_error");
	assert_string_equal(
	    outcome("local t = {} for name, n in pairs(nodes) do "
		    "t[#t + 1] = name .. '=' .. n.status end return t"),
	    "[\"a=success\",\"b y=failed\"]");
}

static void
results_are_parsed_when_first_looked_at(void **state)
{
	(void)state;
	f.looked = 0;
	assert_string_equal(outcome("return 1"), "1");
	assert_int_equal(f.looked, 0);
	assert_string_equal(outcome("local s = 0 for i = 1, 100 do "
				    "s = s + nodes.a.result.x[1] end return s"),
	    "100");
	assert_int_equal(f.looked, 1);
}

static void
a_node_without_a_result_reads_as_nil(void **state)
{
	(void)state;
	f.results[0] = NULL;
	f.statuses[0] = NULL;
	assert_string_equal(
	    outcome("return {nodes.a.result == nil, nodes.a.status == nil}"),
	    "[true,true]");
	f.results[0] = "{\"x\":[1,2,3]}";
	f.statuses[0] = "success";
}

static void
execution_and_input_are_there(void **state)
{
	const char *script = "return {execution.id, input.k}";
	struct op_call *call =
	    run_with(script, strlen(script), "{\"k\":[1,2.5]}");

	(void)state;
	assert_string_equal(call->outcome.result,
	    "[\"abababab-abab-abab-abab-abababababab\",[1,2.5]]");
	op_call_free(call);
	assert_string_equal(outcome("return input == nil"), "true");
}

static void
print_writes_the_log_of_which_the_end_is_kept(void **state)
{
	struct op_call *call = run("print('a', 1, nil) print('\xff') return 1");

	(void)state;
	assert_string_equal(call->outcome.log, "a\t1\tnil\n\xEF\xBF\xBD\n");
	op_call_free(call);
	call = run("for i = 1, 100000 do print(i) end error('x')");
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	assert_int_equal(call->outcome.log_len, 64 << 10);
	assert_string_equal(
	    call->outcome.log + call->outcome.log_len - 7, "100000\n");
	op_call_free(call);
}

/* --- errors --------------------------------------------------------------------- */

static void
errors_name_their_line(void **state)
{
	(void)state;
	assert_string_equal(
	    outcome("local x = 1\nerror('boom')"), "lua_error: script:2: boom");
	assert_string_equal(outcome("\n\nreturn x.y"),
	    "lua_error: script:3: attempt to index a nil value (global 'x')");
	expect_code("return +", "invalid_script: script:1:");
	expect_code("error({code = 7})", "lua_error: table");
	expect_code("error()", "lua_error: ");
	assert_string_equal(
	    outcome("error(setmetatable({}, {__tostring = function() "
		    "return 'mine' end}))"),
	    "lua_error: mine");
	expect_code("error('\\xff\\0')", "lua_error: ");
	expect_code(
	    "error(setmetatable({}, {__tostring = error}))", "lua_error");
}

/* --- walls ---------------------------------------------------------------------- */

static void
nothing_reaches_outside(void **state)
{
	static const char *const absent[] = {"io", "os", "package", "debug",
	    "require", "load", "loadstring", "loadfile", "dofile",
	    "collectgarbage", "warn", "string.dump", "_G.load", "_ENV.io"};
	char script[128];

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		snprintf(script, sizeof(script), "return %s == nil", absent[i]);
		assert_string_equal(outcome(script), "true");
	}
}

static void
bytecode_is_refused(void **state)
{
	struct op_call *call = run_with("\x1bLua\x54\0\x19\x93", 8, NULL);

	(void)state;
	assert_string_equal(call->outcome.error_code, "invalid_script");
	op_call_free(call);
}

static void
a_job_leaves_nothing_for_the_next(void **state)
{
	(void)state;
	assert_string_equal(
	    outcome("getmetatable('').__index = function() return 'bad' end "
		    "string.upper = nil leak = 1 _G.math = nil "
		    "getmetatable('').__add = print return ('x').y"),
	    "\"bad\"");
	assert_string_equal(outcome("return {('x'):upper(), leak == nil, "
				    "math.type(1), '1' + 1}"),
	    "[\"X\",true,\"integer\",2]");
}

static void
the_metatables_of_ours_are_locked(void **state)
{
	(void)state;
	assert_string_equal(outcome("return {getmetatable(_G), "
				    "getmetatable(nodes), "
				    "getmetatable(nodes.a), "
				    "getmetatable(context.list)}"),
	    "[\"globals\",\"nodes\",\"node\",\"array\"]");
	expect_code("setmetatable(_G, {})", "lua_error");
	expect_code("setmetatable(context.list, {})", "lua_error");
	expect_code("nodes.x = 1", "lua_error");
	expect_code("rawset(nodes, 'x', 1)", "lua_error");
	expect_code("getmetatable(nodes).__index = 1", "lua_error");
	expect_code(
	    "local n = pairs(nodes) return n(io or {}, nil)", "lua_error");
}

/* --- time ----------------------------------------------------------------------- */

static void
loops_in_lua_end_with_their_line(void **state)
{
	const char *got = outcome("local i = 0\nwhile true do\ni = i + 1\nend");

	(void)state;
	assert_non_null(strstr(got, "time_exceeded: The script took more than "
				    "0.1 s of CPU time: script:"));
}

static void
loops_that_hide_end_too(void **state)
{
	static const char *const scripts[] = {
	    "while true do pcall(function() while true do end end) end",
	    "while true do xpcall(function() while true do end end, "
	    "function() while true do end end) end",
	    "local function f() return f() end return f()",
	    "::again:: goto again",
	    "coroutine.wrap(function() while true do end end)()",
	    "while true do pcall(coroutine.wrap(function() while true do end "
	    "end)) end",
	    "local c = coroutine.wrap(function() while true do "
	    "coroutine.yield() end end) while true do c() end",
	    "setmetatable({}, {__gc = function() while true do end end}) "
	    "for i = 1, 1e9 do local x = {} end",
	    "local x <close> = setmetatable({}, {__close = function() "
	    "while true do end end}) while true do end",
	    "error(setmetatable({}, {__tostring = function() "
	    "while true do end end}))",
	    "print(setmetatable({}, {__tostring = function() "
	    "while true do end end}))",
	    "local t = setmetatable({}, {__index = function(t, k) "
	    "return t[k + 1] end}) while true do pcall(function() return t[1] "
	    "end) end",
	    "return table.sort({3, 2, 1}, function() while true do end end)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		expect_code(scripts[i], "time_exceeded");
}

static void
c_functions_that_never_return_are_left(void **state)
{
	static const char *const scripts[] = {
	    "return string.find(string.rep('a', 50), string.rep('a?', 50) .. "
	    "string.rep('a', 50))",
	    "return string.find(string.rep('x', 5000), string.rep('.-', 8) .. "
	    "'y')",
	    "return string.rep('a', 50):gsub(string.rep('a?', 50) .. "
	    "string.rep('a', 50), 'b')",
	    "for x in string.rep('a', 50):gmatch(string.rep('a?', 50) .. "
	    "string.rep('a', 50)) do end",
	    "return table.move({}, 1, math.maxinteger - 1, 2)",
	    "return string.rep('', math.maxinteger - 1)",
	    "return table.concat(setmetatable({}, {__len = function() return "
	    "math.maxinteger end, __index = function() return '' end}))",
	    "table.insert(setmetatable({}, {__len = function() return 1 << 60 "
	    "end}), 1, 1)",
	    "table.remove(setmetatable({}, {__len = function() return 1 << 60 "
	    "end}), 1)",
	    "while true do pcall(string.rep, '', math.maxinteger - 1) end",
	    "local s = string.rep('a', 30000) while true do s:gsub('.-b', '') "
	    "end",
	    "local s = string.rep('a', 1 << 24) while true do "
	    "local x = s == s .. '' end",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		expect_code(scripts[i], "time_exceeded");
		assert_string_equal(outcome("return 1"), "1");
	}
}

static void
a_call_told_to_stop_before_it_runs_is_cancelled(void **state)
{
	struct op_call *call = fixture_call(&f, "n");
	struct json text = {
	    .type = JSON_STRING, .string = "return 1", .count = 8};

	(void)state;
	atomic_store(&call->stop, true);
	lua_sandbox_script(lua, call, &text, NULL);
	assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
	op_call_free(call);
}

/* --- memory --------------------------------------------------------------------- */

static struct lua_sandbox *hasty;

/* Memory can't be used up within a tenth of a second everywhere. */
static int
take_time(void **state)
{
	struct lua_limits limits = {.time_ns = INT64_C(20000000000),
	    .memory = MEMORY,
	    .result_bytes = 1u << 20,
	    .log_bytes = 64u << 10};
	struct err e;

	(void)state;
	hasty = lua;
	lua = lua_sandbox_new(&limits, &e);
	return lua == NULL;
}

static int
hurry_again(void **state)
{
	(void)state;
	lua_sandbox_free(lua);
	lua = hasty;
	return 0;
}

static void
memory_is_bounded(void **state)
{
	static const char *const scripts[] = {
	    "local t = {} while true do t[#t + 1] = {} end",
	    "return string.rep('x', 1e9)",
	    "local s = 'x' while true do s = s .. s end",
	    "local t = {} for i = 1, 60 do t[i] = string.rep('x', 1e6) end "
	    "return #table.concat(t)",
	    "local t = {} while true do t[#t + 1] = coroutine.create(print) "
	    "end",
	    "return (string.rep('a', 1e6):gsub('a', string.rep('b', 1e4)))",
	    "local t = {} for i = 1, 1e9 do t[i] = string.format('%99d', i) "
	    "end",
	    "return string.rep('x', 4e7) .. string.rep('y', 4e7)",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		expect_code(scripts[i], "memory_exceeded");
		assert_string_equal(outcome("return 1"), "1");
	}
}

static void
a_script_may_survive_a_failed_allocation(void **state)
{
	(void)state;
	assert_string_equal(
	    outcome("local ok, e = pcall(string.rep, 'x', 1e9) return {ok, e}"),
	    "[false,\"not enough memory\"]");
}

static void
freed_memory_is_used_again(void **state)
{
	(void)state;
	assert_string_equal(
	    outcome("for i = 1, 100 do local s = string.rep('x', 1e7) .. i end "
		    "return 1"),
	    "1");
	/* the sizes change from round to round */
	assert_string_equal(
	    outcome("for i = 1, 6 do local t = {} for j = 1, 40000 do "
		    "t[j] = string.rep('x', 40 * i) .. j end end return 1"),
	    "1");
}

static void
limits_of_lua_itself_are_errors(void **state)
{
	(void)state;
	expect_code("local function f(n) return 1 + f(n) end return f(1)",
	    "lua_error: script:1: stack overflow");
	expect_code("return string.format('%99999d', 1)", "lua_error");
	expect_code("return table.unpack({}, 1, 1e7)", "lua_error");
	expect_code("return utf8.char(1 << 40)", "lua_error");
	expect_code("return utf8.codepoint('\\xff')", "lua_error");
	expect_code("local f f = function(s) return s:gsub('.', f) end "
		    "return f('x')",
	    "lua_error");
	expect_code(
	    "local t = setmetatable({}, {}) getmetatable(t).__index = t "
	    "return t.x",
	    "lua_error");
}

/* A script whose compilation alone would take all the stack. */
static void
deeply_nested_source_is_an_error(void **state)
{
	char *script = malloc(300001);
	struct op_call *call;

	(void)state;
	memset(script, '(', 300000);
	script[300000] = '\0';
	call = run(script);
	assert_string_equal(call->outcome.error_code, "invalid_script");
	op_call_free(call);
	free(script);
}

/* Jumps out of everything at all sorts of moments; what is left must work. */
static void
leaving_scripts_anywhere_does_no_harm(void **state)
{
	static const char *const scripts[] = {
	    "local t = {} while true do t[#t + 1] = string.rep('x', #t % 5000) "
	    "if #t > 3000 then t = {} end end",
	    "while true do local r = nodes.a.result for i = 1, 10 do "
	    "print(i) end string.format('%5.1f %s', 1.5, {}) end",
	    "setmetatable({}, {__gc = function() while true do "
	    "local s = string.rep('x', 1e5) end end}) "
	    "while true do local x = {} end",
	    "while true do table.concat(setmetatable({}, {__len = function() "
	    "return 1e5 end, __index = function() return 'x' end})) end",
	};
	struct lua_limits limits = {
	    .memory = 8u << 20, .result_bytes = 1u << 20, .log_bytes = 1000};
	struct lua_sandbox *kept = lua;
	struct err e;

	(void)state;
	for (int i = 0; i < 60; i++) {
		limits.time_ns = 200000 + i * 37000;
		lua = lua_sandbox_new(&limits, &e);
		assert_non_null(lua);
		expect_code(scripts[i % 4], "time_exceeded");
		expect_code(scripts[(i + 1) % 4], "time_exceeded");
		lua_sandbox_free(lua);
	}
	lua = kept;
	assert_string_equal(outcome("return 1"), "1");
}

static void
running_out_of_heap_is_a_failure_not_a_crash(void **state)
{
	const char *script = "print(1) return {nodes.a.result, context, "
			     "string.rep('x', 5000)}";
	struct op_call *call;
	bool done = false;

	(void)state;
	for (long n = 0; !done && n < 1000; n++) {
		call = fixture_call(&f, "n");
		mem_fail_after(n);
		lua_sandbox_script(lua, call,
		    &(struct json){.type = JSON_STRING,
			.string = script,
			.count = (uint32_t)strlen(script)},
		    NULL);
		mem_fail_after(-1);
		done = call->outcome.state == OUTCOME_SUCCESS &&
		       call->outcome.log != NULL;
		op_call_free(call);
	}
	assert_true(done);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_comes_out_as_json),
	    cmocka_unit_test(an_empty_table_is_an_object_unless_it_is_an_array),
	    cmocka_unit_test(the_context_comes_back_as_it_was),
	    cmocka_unit_test(what_json_has_not_is_refused_with_its_place),
	    cmocka_unit_test(a_result_over_the_limit_fails),
	    cmocka_unit_test(ancestors_are_visible_and_nothing_else),
	    cmocka_unit_test(results_are_parsed_when_first_looked_at),
	    cmocka_unit_test(a_node_without_a_result_reads_as_nil),
	    cmocka_unit_test(execution_and_input_are_there),
	    cmocka_unit_test(print_writes_the_log_of_which_the_end_is_kept),
	    cmocka_unit_test(errors_name_their_line),
	    cmocka_unit_test(nothing_reaches_outside),
	    cmocka_unit_test(bytecode_is_refused),
	    cmocka_unit_test(a_job_leaves_nothing_for_the_next),
	    cmocka_unit_test(the_metatables_of_ours_are_locked),
	    cmocka_unit_test(loops_in_lua_end_with_their_line),
	    cmocka_unit_test(loops_that_hide_end_too),
	    cmocka_unit_test(c_functions_that_never_return_are_left),
	    cmocka_unit_test(a_call_told_to_stop_before_it_runs_is_cancelled),
	    cmocka_unit_test_setup_teardown(
		memory_is_bounded, take_time, hurry_again),
	    cmocka_unit_test_setup_teardown(
		a_script_may_survive_a_failed_allocation, take_time,
		hurry_again),
	    cmocka_unit_test_setup_teardown(
		freed_memory_is_used_again, take_time, hurry_again),
	    cmocka_unit_test_setup_teardown(
		limits_of_lua_itself_are_errors, take_time, hurry_again),
	    cmocka_unit_test(deeply_nested_source_is_an_error),
	    cmocka_unit_test(leaving_scripts_anywhere_does_no_harm),
	    cmocka_unit_test(running_out_of_heap_is_a_failure_not_a_crash),
	};
	struct lua_limits limits = {.time_ns = 100000000,
	    .memory = MEMORY,
	    .result_bytes = 1u << 20,
	    .log_bytes = 64u << 10};
	struct err e;
	int rc;

	lua = lua_sandbox_new(&limits, &e);
	rc = cmocka_run_group_tests_name("lua", tests, set_up, tear_down);
	lua_sandbox_free(lua);
	return rc;
}
