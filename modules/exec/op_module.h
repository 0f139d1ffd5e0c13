/* op_module.h - ops from elsewhere: a shared object that exports one table.
 *
 *   const struct op_module open_op_module = {
 *           OP_MODULE_HEAD, .name = "shout", .ops = shout_ops};
 *
 * Its ops are declared like the built-in ones (op_call.h, ops/): one table says
 * their parameters, which validation, the API and the reference read. They may
 * call what op_call.h, dag/json.h and base/ declare, and nothing of the arena.
 * tests/op_module/shout.c is an example.
 *
 * Trust:    a module's code runs inside of the server's workers, with all their
 *           rights: load only what you would compile in.
 * Lifetime: loaded once, before the workers fork; never unloaded.
 * Version:  a module is compiled against one version of the headers; another
 *           one is refused by the sizes and numbers in its head.
 */
#ifndef OPEN_EXEC_OP_MODULE_H
#define OPEN_EXEC_OP_MODULE_H

#include "exec/io.h"

#define OP_MODULE_ABI	 1u
#define OP_MODULE_SYMBOL "open_op_module"

struct op_module {
	uint32_t abi;
	uint32_t sizes[3]; /* of struct op, op_call and io_class */
	const char *name;
	const struct op *const *ops; /* ended by NULL */
};

#define OP_MODULE_HEAD                                                         \
	.abi = OP_MODULE_ABI, .sizes = {(uint32_t)sizeof(struct op),           \
				  (uint32_t)sizeof(struct op_call),            \
				  (uint32_t)sizeof(struct io_class)}

/* Loads every file of a list separated by colons ("": none) and adds their ops
 * to the registry; one thread, before anything reads a document. -1 and e:
 * "op_module" (it can't be loaded, is of another version, an op is not sound),
 * "op_exists" (an op of that name is there), "too_many_ops". */
int op_modules_load(const char *files, struct err *e);

#endif
