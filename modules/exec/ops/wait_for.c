/* wait_for.c - waits for a signal or a time; exec/host.c does it. */
#include "exec/host_params.h"
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "signal",
	.types = PARAM_STRING,
	.min = 1,
	.max = SIGNAL_NAME_MAX,
	.description = "The name of the signal: letters, digits, _ and -. The "
		       "first one sent to the execution that no other node "
		       "has taken ends the wait, also one sent before."},
    {.name = "until",
	.types = PARAM_STRING,
	.min = 1,
	.max = 64,
	.description = "A time (RFC 3339) at which the wait ends. Without "
		       "signal that is a success, else as timeout."},
    {.name = "timeout",
	.types = PARAM_DURATION,
	.description = "How long to wait for the signal, counted from the "
		       "node's first start; then the node fails "
		       "(signal_timeout), or succeeds with default."},
    {.name = "default",
	.types = PARAM_ANY,
	.description = "The value where no signal came in time."},
    {.name = NULL}};

static int
check(const struct json *p, struct err *e)
{
	struct host_params out;

	return wait_for_read(p, true, &out, e);
}

const struct op op_wait_for = {
    .schema = {.name = "wait_for",
	.description = "Waits for a signal, sent through the API, or for a "
		       "time; a waiting node costs no thread. Its result is "
		       "the signal's name, value, time and sender, or the "
		       "time.",
	.params = params,
	.check = check,
	.keeps_params = true},
    .kind = OP_IO,
    .idle = true,
    .compute = host_result,
    .io = &host_io,
    .goes_on = true,
};
