/* dag_ops.h - a few declared ops, for tests of documents and plans that must
 * not depend on what the executor can run. */
#ifndef TESTS_DAG_OPS_H
#define TESTS_DAG_OPS_H

#include <string.h>

#include "dag/plan.h"

static const struct op_param test_delay_params[] = {
    {.name = "duration",
	.types = PARAM_DURATION,
	.required = true,
	.min = 0,
	.max = INT64_C(86400000000000)},
    {.name = NULL}};
static const struct op_param test_lua_params[] = {
    {.name = "script", .types = PARAM_LUA, .required = true},
    {.name = "input", .types = PARAM_ANY}, {.name = NULL}};
static const struct op_param test_command_params[] = {
    {.name = "argv", .types = PARAM_ARRAY, .min = 1, .max = 100},
    {.name = "shell", .types = PARAM_STRING, .min = 1, .max = 1 << 20},
    {.name = "env", .types = PARAM_OBJECT}, {.name = NULL}};
static const struct op_param test_mix_params[] = {
    {.name = "count", .types = PARAM_INTEGER, .min = 1, .max = 10},
    {.name = "ratio", .types = PARAM_NUMBER, .min = 0, .max = 1},
    {.name = "flag", .types = PARAM_BOOLEAN},
    {.name = "any", .types = PARAM_ANY},
    {.name = "text_or_list", .types = PARAM_STRING | PARAM_ARRAY},
    {.name = NULL}};

/* Exactly one of argv and shell. */
static int
test_command_check(const struct json *params, struct err *e)
{
	if ((json_get(params, "argv") == NULL) !=
	    (json_get(params, "shell") == NULL))
		return 0;
	err_set(e, "invalid_parameter",
	    "A command needs either \"argv\" or \"shell\".");
	strcpy(e->pointer, "/argv");
	return -1;
}

static const struct op_schema test_ops_list[] = {
    {.name = "noop"},
    {.name = "delay", .params = test_delay_params},
    {.name = "lua", .params = test_lua_params},
    {.name = "command",
	.params = test_command_params,
	.check = test_command_check,
	.permission = "allow_commands"},
    {.name = "mix", .params = test_mix_params},
};
static const struct op_schema *const test_ops_index[] = {&test_ops_list[0],
    &test_ops_list[1], &test_ops_list[2], &test_ops_list[3], &test_ops_list[4]};
static const struct op_set test_ops = {5, test_ops_index};

#endif
