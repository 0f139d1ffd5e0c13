/* lua.c - runs a Lua script; what it returns is the node's result. */
#include "exec/lua_sandbox.h"
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "script",
	.types = PARAM_LUA,
	.required = true,
	.description = "Lua 5.4; what it returns is the node's result."},
    {.name = "input",
	.types = PARAM_ANY,
	.description = "Any value; the script sees it as input."},
    {.name = NULL}};

static void
compute(struct op_call *call)
{
	lua_sandbox_script(call->driver, call, json_get(call->params, "script"),
	    json_get(call->params, "input"));
}

const struct op op_lua = {
    .schema = {.name = "lua",
	.description = "Runs a Lua script in a sandbox: no files, no network, "
		       "bounded time and memory.",
	.params = params},
    .kind = OP_COMPUTE,
    .compute = compute,
};
