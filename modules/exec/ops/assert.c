/* assert.c - fails where something that must be true is not. */
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "that",
	.types = PARAM_ANY,
	.required = true,
	.description = "What must be true, for instance "
		       "${{ nodes.a.result > 0 }}; anything but true fails."},
    {.name = "message",
	.types = PARAM_STRING,
	.min = 1,
	.max = 4000,
	.description = "What the node's error says if it is not."},
    {.name = NULL}};

static void
run(struct op_call *call)
{
	const struct json *that = json_get(call->params, "that");
	const struct json *message = json_get(call->params, "message");

	if (that != NULL && that->type == JSON_TRUE)
		return;
	if (message != NULL)
		op_call_fail(call, false, "assertion_failed", "%s",
		    op_param_text(call, message));
	else
		op_call_fail(call, false, "assertion_failed",
		    "It should be true but is %.200s.",
		    op_param_text(call, that));
}

const struct op op_assert = {
    .schema = {.name = "assert",
	.description = "Succeeds if a value is true, else fails.",
	.params = params},
    .kind = OP_INLINE,
    .compute = run,
};
