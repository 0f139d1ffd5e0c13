/* lua_sandbox.h - runs one Lua expression or script after the other, each in a
 * fresh state, within a budget of time and memory.
 *
 * Owner:    one thread: created, used and freed on it. lua_sandbox_interrupt
 *           may be called by any thread of the process while it lives.
 * Process:  installs a handler for LUA_SANDBOX_SIGNAL once per process. The
 *           signal is unblocked on threads that own a sandbox, nowhere else
 *           has it to be.
 * Sees:     context, nodes (ancestors only), execution, input and null, in an
 *           element's parameters item and index; JSON becomes Lua and back as ops/README.md says.
 * Fails:    by filling call->outcome; the sandbox stays usable after whatever
 *           the script did.
 */
#ifndef OPEN_EXEC_LUA_SANDBOX_H
#define OPEN_EXEC_LUA_SANDBOX_H

#include "exec/op_call.h"

#define LUA_SANDBOX_SIGNAL (SIGRTMIN + 5)

struct lua_limits {
	int64_t time_ns; /* CPU time of one expression or script */
	size_t memory;	 /* bytes in use by Lua */
	size_t result_bytes;
	size_t log_bytes; /* the last so many of what print wrote are kept */
};

struct lua_sandbox;

struct lua_sandbox *lua_sandbox_new(const struct lua_limits *, struct err *e);
void lua_sandbox_free(struct lua_sandbox *);

/* The value of an expression in call->mem, NULL: failed, outcome filled. */
const struct json *lua_sandbox_value(
    struct lua_sandbox *, struct op_call *, const char *expression, size_t len);
/* 1 true, 0 false, -1 failed, outcome filled. */
int lua_sandbox_condition(
    struct lua_sandbox *, struct op_call *, const char *expression, size_t len);
/* Runs a script; fills the outcome either way. input may be NULL. */
void lua_sandbox_script(struct lua_sandbox *, struct op_call *,
    const struct json *script, const struct json *input);

/* Makes the sandbox look at the stop flag of the call it runs, if any. */
void lua_sandbox_interrupt(struct lua_sandbox *);

#endif
