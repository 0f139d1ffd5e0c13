/* fail.c - ends its node, and so the branch behind it, with a failure. */
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "message",
	.types = PARAM_STRING,
	.required = true,
	.min = 1,
	.max = 4000,
	.description = "What the node's error says."},
    {.name = "retryable",
	.types = PARAM_BOOLEAN,
	.description = "Whether the node's retry applies; false by default."},
    {.name = NULL}};

static void
run(struct op_call *call)
{
	const struct json *retryable = json_get(call->params, "retryable");

	op_call_fail(call, retryable != NULL && retryable->type == JSON_TRUE,
	    "failed", "%s",
	    op_param_text(call, json_get(call->params, "message")));
}

const struct op op_fail = {
    .schema = {.name = "fail",
	.description = "Fails with a message.",
	.params = params},
    .kind = OP_INLINE,
    .compute = run,
};
