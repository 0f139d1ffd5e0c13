/* delay.c - waits without holding a thread. */
#include "base/clock.h"
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "duration",
	.types = PARAM_DURATION,
	.required = true,
	.description = "How long to wait, for instance 5s."},
    {.name = NULL}};

/* The document was checked, but a template's value is only known now. */
static int64_t
delay(struct op_call *call)
{
	const struct json *v = json_get(call->params, "duration");
	int64_t ns;

	if (v != NULL && v->type == JSON_STRING &&
	    duration_parse(v->string, v->count, &ns))
		return ns;
	op_call_fail(call, false, "invalid_parameter",
	    "duration must be a text like 250ms, 5s, 2m, 1h or 1d.");
	return -1;
}

const struct op op_delay = {
    .schema = {.name = "delay",
	.description = "Waits and succeeds; a waiting node costs no thread.",
	.params = params},
    .kind = OP_TIMER,
    .delay = delay,
    .goes_on = true,
};
