/* noop.c - does nothing: a point where branches meet, or a test's node. */
#include "exec/ops/ops.h"

static const struct op_param params[] = {{.name = NULL}};

const struct op op_noop = {
    .schema = {.name = "noop",
	.description = "Does nothing and succeeds.",
	.params = params},
    .kind = OP_NOOP,
};
