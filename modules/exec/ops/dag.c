/* dag.c - runs another DAG of the organization; exec/host.c asks for it. */
#include "exec/host_params.h"
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "name",
	.types = PARAM_STRING,
	.required = true,
	.min = 1,
	.max = 4 * DAG_NAME_MAX,
	.description = "The name of an active DAG of the organization. Its "
		       "version that is active when the node starts is run."},
    {.name = "context",
	.types = PARAM_OBJECT,
	.description = "The child's context: an object."},
    {.name = NULL}};

static int
check(const struct json *p, struct err *e)
{
	struct host_params out;

	return child_read(p, true, &out, e);
}

const struct op op_dag = {
    .schema = {.name = "dag",
	.description = "Runs another DAG of the organization as an execution "
		       "of its own, and waits for it; its result is that "
		       "execution's result.",
	.params = params,
	.check = check,
	.keeps_params = true},
    .kind = OP_IO,
    .idle = true,
    .compute = host_result,
    .io = &host_io,
    .goes_on = true,
};
