/* lua_state.h - what the parts of the sandbox share: lua_sandbox.c (life,
 * budgets), lua_scope.c (what scripts see), lua_json.c (values).
 *
 * The guard: a signal may end a script anywhere, by a jump out of whatever runs
 * (see lua_sandbox.c). Code that changes anything but the Lua state, and so
 * must not be cut in two, stands between lua_guard and lua_unguard; in there no
 * function of Lua that may raise an error is called.
 */
#ifndef OPEN_EXEC_LUA_STATE_H
#define OPEN_EXEC_LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>

#include "exec/lua_arena.h"
#include "exec/lua_sandbox.h"

enum lua_reason {
	LUA_REASON_NONE,
	LUA_REASON_STOP,
	LUA_REASON_TIME
};

struct lua_sandbox {
	struct lua_limits limits;
	struct lua_arena arena;
	struct mem scratch; /* JSON on its way into Lua */
	struct buf log;
	timer_t timer;
	pthread_t thread;

	/* Between the thread and its signal handler. */
	volatile sig_atomic_t running, guard, kill_pending, reason;
	int64_t deadline; /* CPU time of the thread, ns */
	sigjmp_buf escape;

	/* Of the run that is going on. */
	lua_State *state;
	struct op_call *call;
	const char *text; /* chunk */
	size_t text_len;
	bool expression, condition;
	const struct json *input;
	const struct json *value; /* what came out */
	bool truth;
	const char *code, *message; /* failure */
	uint64_t *ancestors; /* bits, in call->mem; NULL: not needed yet */
};

static inline void
lua_guard(struct lua_sandbox *s)
{
	s->guard++;
	atomic_signal_fence(memory_order_seq_cst);
}

static inline void
lua_unguard(struct lua_sandbox *s)
{
	atomic_signal_fence(memory_order_seq_cst);
	s->guard--;
	atomic_signal_fence(memory_order_seq_cst);
	if (s->guard == 0 && s->kill_pending)
		siglongjmp(s->escape, 1);
}

/* The sandbox a state belongs to. */
struct lua_sandbox *lua_sandbox_of(lua_State *);

/* Opens the libraries and makes the globals; raises errors. */
void lua_scope_open(lua_State *, struct lua_sandbox *);

/* Registers what lua_json_push needs, and the globals null and array. */
void lua_json_open(lua_State *);
/* Pushes v; raises errors. */
void lua_json_push(lua_State *, const struct json *v);
/* Parses text and pushes its value; raises errors that begin with what. */
void lua_json_push_text(lua_State *, struct lua_sandbox *, const char *text,
    size_t len, const char *what);
/* The value at index, made in call->mem; raises errors. */
const struct json *lua_json_take(
    lua_State *, struct lua_sandbox *, int index, size_t limit);

#endif
