/* compute.c - one fair queue, many threads, a Lua sandbox each. */
#include "exec/compute.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "exec/lua_sandbox.h"

#define STACK	  (1u << 20)
#define LOG_BYTES (64u << 10)

struct worker {
	struct compute *pool;
	pthread_t thread;
	struct lua_sandbox *lua;
	struct op_call *current; /* under the pool's lock */
};

struct compute {
	struct compute_settings settings;
	compute_done done;
	void *ctx;
	pthread_mutex_t lock;
	pthread_cond_t work, ready;
	struct fair queue;
	unsigned idle, started, failed;
	bool ending;
	struct err error;
	unsigned count; /* threads */
	struct worker workers[];
};

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* True: prepared, the op is still to be started. */
static bool
work_on(struct op_call *call)
{
	if ((call->work & COMPUTE_PREPARE) != 0 && eval_prepare(call) != 1)
		return false;
	if ((call->work & COMPUTE_OP) == 0)
		return true;
	call->op->compute(call);
	return false;
}

static void
run_call(struct worker *w, struct op_call *call)
{
	struct compute *c = w->pool;
	int64_t start = cpu_ns();
	bool prepared = false;

	call->driver = w->lua;
	if (!atomic_load(&call->stop))
		prepared = work_on(call);
	pthread_mutex_lock(&c->lock);
	w->current = NULL;
	pthread_mutex_unlock(&c->lock);
	if (atomic_load(&call->stop)) {
		op_call_cancelled(call);
		prepared = false;
	}
	call->driver = NULL;
	call->outcome.cpu_ns += cpu_ns() - start;
	c->done(c->ctx, call, prepared);
}

static bool
start_sandbox(struct worker *w)
{
	struct compute *c = w->pool;
	struct lua_limits limits = {.time_ns = c->settings.lua_time_ns,
	    .memory = c->settings.lua_memory,
	    .result_bytes = c->settings.result_bytes,
	    .log_bytes = LOG_BYTES};
	struct err e;

	prctl(PR_SET_NAME, "compute");
	w->lua = lua_sandbox_new(&limits, &e);
	pthread_mutex_lock(&c->lock);
	c->started++;
	if (w->lua == NULL) {
		c->failed++;
		c->error = e;
	}
	pthread_cond_signal(&c->ready);
	pthread_mutex_unlock(&c->lock);
	return w->lua != NULL;
}

static struct op_call *
next_call(struct compute *c)
{
	struct fair_item *item = fair_pop(&c->queue);

	return item == NULL
		   ? NULL
		   : (void *)((char *)item - offsetof(struct op_call, queued));
}

static void *
worker_main(void *context)
{
	struct worker *w = context;
	struct compute *c = w->pool;
	struct op_call *call;

	if (!start_sandbox(w))
		return NULL;
	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (c->queue.count == 0 && !c->ending) {
			c->idle++;
			pthread_cond_wait(&c->work, &c->lock);
			c->idle--;
		}
		call = next_call(c);
		if (call == NULL)
			break;
		if (c->ending)
			atomic_store(&call->stop, true);
		w->current = call;
		pthread_mutex_unlock(&c->lock);
		run_call(w, call);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	lua_sandbox_free(w->lua);
	return NULL;
}

/* The arena's thread is pinned; a thread inherits that unless told otherwise. */
static void
any_cpu(pthread_attr_t *attr)
{
	long count = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set;

	CPU_ZERO(&set);
	for (long i = 0; i < count && i < CPU_SETSIZE; i++)
		CPU_SET((size_t)i, &set);
	pthread_attr_setaffinity_np(attr, sizeof(set), &set);
}

static void
start_threads(struct compute *c)
{
	pthread_attr_t attr;
	sigset_t all, old;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	any_cpu(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	for (; c->count < c->settings.threads; c->count++) {
		struct worker *w = &c->workers[c->count];

		w->pool = c;
		if (pthread_create(&w->thread, &attr, worker_main, w) != 0)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	pthread_mutex_lock(&c->lock);
	while (c->started < c->count)
		pthread_cond_wait(&c->ready, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

struct compute *
compute_new(const struct compute_settings *settings, compute_done done,
    void *ctx, struct err *e)
{
	size_t size =
	    sizeof(struct compute) + settings->threads * sizeof(struct worker);
	struct compute *c = mem_heap(size);

	if (c == NULL)
		return err_memory(e), NULL;
	memset(c, 0, size);
	c->settings = *settings;
	c->done = done;
	c->ctx = ctx;
	if (fair_create(&c->queue, settings->tenants) != 0) {
		free(c);
		return err_memory(e), NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->ready, NULL);
	start_threads(c);
	if (c->count == settings->threads && c->failed == 0)
		return c;
	if (c->failed > 0)
		err_set(e, c->error.code, "%s", c->error.message);
	else
		err_set(e, "no_thread", "A compute thread can't be started.");
	compute_free(c);
	return NULL;
}

void
compute_submit(struct compute *c, struct op_call *call, unsigned work)
{
	bool wake;

	call->work = work;
	pthread_mutex_lock(&c->lock);
	fair_push(&c->queue, &call->queued, call->tenant, call->priority);
	wake = c->idle > 0;
	pthread_mutex_unlock(&c->lock);
	if (wake)
		pthread_cond_signal(&c->work);
}

/* The call's worker can't leave it while the lock is held, so the signal comes
 * to the right call or to none. */
static void
interrupt(struct compute *c, const struct op_call *call)
{
	for (unsigned i = 0; i < c->count; i++)
		if (c->workers[i].current == call)
			lua_sandbox_interrupt(c->workers[i].lua);
}

void
compute_stop(struct compute *c, struct op_call *call)
{
	atomic_store(&call->stop, true);
	pthread_mutex_lock(&c->lock);
	interrupt(c, call);
	pthread_mutex_unlock(&c->lock);
}

void
compute_free(struct compute *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	for (unsigned i = 0; i < c->count; i++) {
		struct op_call *call = c->workers[i].current;

		if (call != NULL) {
			atomic_store(&call->stop, true);
			interrupt(c, call);
		}
	}
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->count; i++)
		pthread_join(c->workers[i].thread, NULL);
	pthread_cond_destroy(&c->ready);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	fair_free(&c->queue);
	free(c);
}
