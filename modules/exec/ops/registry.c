/* registry.c - all ops: the built-in ones, then those of modules. Plans name
 * ops by their names, so the order may change. */
#include <string.h>

#include "exec/ops/ops.h"

const struct op *op_table[OPS_MAX] = {&op_noop, &op_delay, &op_lua, &op_command,
    &op_http, &op_fail, &op_assert, &op_sql, &op_wait_for, &op_dag};
size_t op_table_count;

static const struct op_schema *schemas[OPS_MAX];
static struct op_set set = {.ops = schemas};

/* The built-in ones are there before main. */
static void __attribute__((constructor)) count(void)
{
	while (op_table[op_table_count] != NULL) {
		schemas[op_table_count] = &op_table[op_table_count]->schema;
		op_table_count++;
	}
	set.count = op_table_count;
}

int
op_register(const struct op *op, struct err *e)
{
	if (op_by_name(op->schema.name) != NULL) {
		err_set(e, "op_exists", "There is an op \"%s\" already.",
		    op->schema.name);
		return -1;
	}
	if (op_table_count == OPS_MAX) {
		err_set(
		    e, "too_many_ops", "There are %d ops at most.", OPS_MAX);
		return -1;
	}
	schemas[op_table_count] = &op->schema;
	op_table[op_table_count++] = op;
	set.count = op_table_count;
	return 0;
}

const struct op_set *
op_table_set(void)
{
	return &set;
}

const struct op *
op_by_name(const char *name)
{
	for (size_t i = 0; i < op_table_count; i++)
		if (strcmp(op_table[i]->schema.name, name) == 0)
			return op_table[i];
	return NULL;
}
