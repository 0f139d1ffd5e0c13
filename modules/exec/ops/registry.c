/* registry.c - all ops, in the order of their ids in this process. Plans name
 * ops by their names, so the order may change. */
#include <string.h>

#include "exec/ops/ops.h"

#define OPS 7

const struct op *const op_table[OPS] = {
    &op_noop, &op_delay, &op_lua, &op_command, &op_http, &op_fail, &op_assert};
const size_t op_table_count = OPS;

static const struct op_schema *const schemas[OPS] = {&op_noop.schema,
    &op_delay.schema, &op_lua.schema, &op_command.schema, &op_http.schema,
    &op_fail.schema, &op_assert.schema};
static const struct op_set set = {.count = OPS, .ops = schemas};

const struct op_set *
op_table_set(void)
{
	return &set;
}

const struct op *
op_by_name(const char *name)
{
	for (size_t i = 0; i < OPS; i++)
		if (strcmp(op_table[i]->schema.name, name) == 0)
			return op_table[i];
	return NULL;
}
