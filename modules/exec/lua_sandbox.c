/* lua_sandbox.c - the life of one script and its end by force.
 *
 * Time is measured by a timer on the thread's CPU clock; at the deadline, or
 * when somebody asks to stop, a signal comes:
 *   first     the handler sets a hook (lua_sethook may be called by a signal
 *             handler), so Lua code ends with an error that names its line;
 *   10 ms on  C code that never reaches a hook (string patterns, table.move,
 *             finalizers) is left by siglongjmp, and every 10 ms from then on.
 * Why that jump is sound: the state is never touched again and its memory, all
 * of it from one arena, is dropped whole. What else a script can change (the
 * arena itself, the call's memory, the log) is only changed between lua_guard
 * and lua_unguard, where the handler but notes that it came. What remains is
 * code of liblua, which has no globals, and the functions of libc it calls:
 * memory and string functions, strtod, snprintf of at most 418 characters (no
 * malloc below a printed width of 1,000), and with the C locale that threads
 * here use strcoll is strcmp; none takes a lock. (In the server symbols are
 * bound at load, so the dynamic linker isn't entered either.) A hook belongs to
 * one coroutine; a script that is in another meets the jump instead. */
#include "base/guard.h"
#include "exec/lua_state.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define SECOND INT64_C(1000000000)
#define INSIST (10 * SECOND / 1000) /* between two signals */
#define VALUES 8 /* expressions may be so many times larger than a result */

/* --- signals ---------------------------------------------------------------- */

static int64_t
thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void
set_timer(struct lua_sandbox *s, int64_t first, int64_t interval)
{
	struct itimerspec t = {
	    .it_value = {.tv_sec = first / SECOND, .tv_nsec = first % SECOND},
	    .it_interval = {
		.tv_sec = interval / SECOND, .tv_nsec = interval % SECOND}};

	timer_settime(s->timer, 0, &t, NULL);
}

static void
hook(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	luaL_where(L, 0);
	lua_pushliteral(L, "stopped here");
	lua_concat(L, 2);
	lua_error(L);
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
	struct lua_sandbox *s = info->si_value.sival_ptr;
	int saved = errno;

	(void)number;
	(void)context;
	if (info->si_code != SI_TIMER &&
	    (info->si_code != SI_QUEUE || info->si_pid != getpid()))
		return;
	if (s == NULL || !s->running)
		return;
	if (s->reason == LUA_REASON_NONE) {
		if (atomic_load(&s->call->stop))
			s->reason = LUA_REASON_STOP;
		else if (thread_ns() >= s->deadline)
			s->reason = LUA_REASON_TIME;
		if (s->reason != LUA_REASON_NONE) {
			lua_sethook(s->state, hook, LUA_MASKCOUNT, 1);
			set_timer(s, INSIST, INSIST);
		}
	} else if (info->si_code == SI_TIMER) {
		if (s->guard == 0)
			siglongjmp(s->escape, 1);
		s->kill_pending = 1;
	}
	errno = saved;
}

static void
install_handler(void)
{
	struct sigaction a = {.sa_sigaction = on_signal,
	    .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};

	sigemptyset(&a.sa_mask);
	sigaction(LUA_SANDBOX_SIGNAL, &a, NULL);
}

static int
prepare_thread(struct lua_sandbox *s, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
	    .sigev_signo = LUA_SANDBOX_SIGNAL,
	    .sigev_value = {.sival_ptr = s}};
	sigset_t set;

	pthread_once(&once, install_handler);
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	s->thread = pthread_self();
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &s->timer) != 0)
		return err_set(
		    e, "no_timer", "timer_create: %s", strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, LUA_SANDBOX_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return 0;
}

/* --- life ------------------------------------------------------------------- */

struct lua_sandbox *
lua_sandbox_new(const struct lua_limits *limits, struct err *e)
{
	struct lua_sandbox *s = mem_heap(sizeof(*s));

	if (s == NULL)
		return err_memory(e), NULL;
	memset(s, 0, sizeof(*s));
	s->limits = *limits;
	if (!lua_arena_create(&s->arena, limits->memory)) {
		free(s);
		return err_memory(e), NULL;
	}
	if (prepare_thread(s, e) != 0) {
		lua_arena_destroy(&s->arena);
		free(s);
		return NULL;
	}
	mem_create(&s->scratch, 0);
	buf_create(&s->log, 0);
	return s;
}

void
lua_sandbox_free(struct lua_sandbox *s)
{
	if (s == NULL)
		return;
	timer_delete(s->timer);
	lua_arena_destroy(&s->arena);
	mem_destroy(&s->scratch);
	buf_free(&s->log);
	free(s);
}

void
lua_sandbox_interrupt(struct lua_sandbox *s)
{
	pthread_sigqueue(
	    s->thread, LUA_SANDBOX_SIGNAL, (union sigval){.sival_ptr = s});
}

static void *
allocate(void *context, void *p, size_t old, size_t size)
{
	struct lua_sandbox *s = context;

	lua_guard(s);
	p = lua_arena_realloc(&s->arena, p, old, size);
	lua_unguard(s);
	return p;
}

struct lua_sandbox *
lua_sandbox_of(lua_State *L)
{
	void *s;

	lua_getallocf(L, &s);
	return s;
}

/* --- one run ------------------------------------------------------------------ */

struct reader {
	const struct lua_sandbox *s;
	int part;
};

/* An expression is read as "return EXPRESSION". */
static const char *
read_chunk(lua_State *L, void *context, size_t *len)
{
	static const char prefix[] = "return ";
	struct reader *r = context;
	int part = r->part++ + (r->s->expression ? 0 : 1);

	(void)L;
	*len = part == 0 ? sizeof(prefix) - 1 : part == 1 ? r->s->text_len : 0;
	if (*len == 0)
		return NULL;
	return part == 0 ? prefix : r->s->text;
}

/* Keeps the error on top of the stack as the failure. */
static void
keep_error(lua_State *L, struct lua_sandbox *s, const char *code)
{
	const char *text;
	size_t len;

	if (lua_isnil(L, -1))
		lua_pushliteral(L, "error without a message");
	text = luaL_tolstring(L, -1, &len);
	lua_guard(s);
	s->code = code;
	s->message = op_text(&s->call->mem, text, len, &len);
	lua_unguard(s);
}

/* Runs under lua_pcall; everything that may raise is in here. */
static int
run_protected(lua_State *L)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	struct reader reader = {.s = s};
	size_t limit = s->limits.result_bytes;
	int status;

	lua_scope_open(L, s);
	status = lua_load(L, read_chunk, &reader,
	    s->expression ? "=expression" : "=script", "t");
	if (status == LUA_ERRMEM)
		return lua_error(L);
	if (status != LUA_OK)
		return keep_error(L, s, "invalid_script"), 0;
	status = lua_pcall(L, 0, 1, 0);
	if (status == LUA_ERRMEM)
		return keep_error(L, s, "memory_exceeded"), 0;
	if (status != LUA_OK)
		return keep_error(L, s, "lua_error"), 0;
	s->truth = lua_toboolean(L, -1);
	if (!s->condition && (s->expression || !lua_isnil(L, -1)))
		s->value = lua_json_take(
		    L, s, -1, s->expression ? VALUES * limit : limit);
	return 0;
}

static void
run_state(struct lua_sandbox *s)
{
	lua_State *L = lua_newstate(allocate, s);
	int status = LUA_ERRMEM;

	if (L != NULL) {
		s->state = L;
		s->running = 1;
		set_timer(s, s->limits.time_ns, INSIST);
		if (atomic_load(&s->call->stop))
			s->reason = LUA_REASON_STOP;
		else {
			lua_pushcfunction(L, run_protected);
			status = lua_pcall(L, 0, 0, 0);
		}
	}
	if (status == LUA_ERRMEM)
		s->code = "memory_exceeded";
	else if (status != LUA_OK && s->code == NULL)
		s->code = "lua_error";
	if (status == LUA_OK || s->message != NULL)
		return;
	lua_guard(s);
	s->message = "not enough memory";
	if (status == LUA_ERRRUN && lua_type(L, -1) == LUA_TSTRING) {
		size_t len;
		const char *text = lua_tolstring(L, -1, &len);

		s->message = op_text(&s->call->mem, text, len, &len);
	}
	lua_unguard(s);
}

static void
keep_log(struct lua_sandbox *s)
{
	size_t keep = s->limits.log_bytes, len = s->log.len;
	const char *text = s->log.data;

	if (len == 0)
		return;
	if (len > keep) {
		text += len - keep;
		len = keep;
	}
	s->call->outcome.log =
	    op_text(&s->call->mem, text, len, &s->call->outcome.log_len);
	if (s->call->mem.guarded)
		guard_wipe(s->log.data, s->log.cap);
}

static void
report(struct lua_sandbox *s)
{
	struct op_call *call = s->call;
	const char *text = s->message != NULL ? s->message : "no message";

	if (s->reason == LUA_REASON_STOP)
		op_call_cancelled(call);
	else if (s->reason == LUA_REASON_TIME)
		op_call_fail(call, false, "time_exceeded",
		    "The %s took more than %.3g s of CPU time%s%s.",
		    s->expression ? "expression" : "script",
		    (double)s->limits.time_ns / (double)SECOND,
		    s->message != NULL ? ": " : "",
		    s->message != NULL ? s->message : "");
	else if (strcmp(s->code, "memory_exceeded") == 0)
		op_call_fail(call, false, s->code,
		    "The %s needs more than %zu bytes of memory: %s.",
		    s->expression ? "expression" : "script", s->limits.memory,
		    text);
	else
		op_call_fail(call, strcmp(s->code, "lua_error") == 0, s->code,
		    "%s", text);
}

/* 0: s->value and s->truth are set; -1: failed, outcome filled. The caller set
 * the chunk and its kind. */
static int
run(struct lua_sandbox *s, struct op_call *call)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", NULL), old = uselocale(c);

	s->call = call;
	s->value = NULL;
	s->code = s->message = NULL;
	s->ancestors = NULL;
	s->guard = s->kill_pending = 0;
	s->reason = LUA_REASON_NONE;
	s->deadline = thread_ns() + s->limits.time_ns;
	if (sigsetjmp(s->escape, 0) == 0)
		run_state(s);
	s->running = 0;
	set_timer(s, 0, 0);
	if (call->mem.guarded)
		lua_arena_wipe(&s->arena);
	else
		lua_arena_reset(&s->arena);
	uselocale(old);
	freelocale(c);
	keep_log(s);
	if (s->reason == LUA_REASON_NONE && s->code == NULL)
		return 0;
	report(s);
	return -1;
}

const struct json *
lua_sandbox_value(struct lua_sandbox *s, struct op_call *call,
    const char *expression, size_t len)
{
	s->text = expression;
	s->text_len = len;
	s->expression = true;
	s->condition = false;
	s->input = NULL;
	buf_reset(&s->log);
	return run(s, call) == 0 ? s->value : NULL;
}

int
lua_sandbox_condition(struct lua_sandbox *s, struct op_call *call,
    const char *expression, size_t len)
{
	s->text = expression;
	s->text_len = len;
	s->expression = s->condition = true;
	s->input = NULL;
	buf_reset(&s->log);
	return run(s, call) == 0 ? s->truth : -1;
}

void
lua_sandbox_script(struct lua_sandbox *s, struct op_call *call,
    const struct json *script, const struct json *input)
{
	if (script == NULL || script->type != JSON_STRING) {
		op_call_fail(call, false, "invalid_parameter",
		    "script must be a string.");
		return;
	}
	s->text = script->string;
	s->text_len = script->count;
	s->expression = s->condition = false;
	s->input = input;
	buf_reset(&s->log);
	if (run(s, call) == 0)
		op_call_result(call, s->value, s->limits.result_bytes);
}
