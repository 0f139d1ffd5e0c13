/* ops.h - the built-in ops, one file each; registry.c lists them. */
#ifndef OPEN_EXEC_OPS_H
#define OPEN_EXEC_OPS_H

#include "exec/op_call.h"

extern const struct op op_noop;
extern const struct op op_delay;
extern const struct op op_lua;
extern const struct op op_command;
extern const struct op op_http;
extern const struct op op_fail;
extern const struct op op_assert;
extern const struct op op_sql;
extern const struct op op_wait_for;
extern const struct op op_dag;

#endif
