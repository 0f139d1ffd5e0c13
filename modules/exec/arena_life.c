/* arena_life.c - the arena's thread from its first to its last moment: lock,
 * threads for computing, what others are left. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/arena.h"

static void
pin(unsigned index)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(index % (unsigned)(cpus > 0 ? cpus : 1), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

uint32_t
random_next(struct arena *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 7;
	a->random ^= a->random << 17;
	return (uint32_t)(a->random >> 32);
}

/* Ours, also after an owner that died. An owner that still lives is waited for
 * a while: a worker may be restarted before the old one is quite gone. */
static int
take_lock(struct arena *a)
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	rc = pthread_mutex_timedlock(&a->shared->lock, &until);
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&a->shared->lock);
	if (rc != 0)
		return err_set(a->error, "arena_owned",
		    "Arena %u belongs to a process that lives.", a->index);
	return 0;
}

static int
equip(struct arena *a)
{
	const struct exec_settings *s = &a->exec->settings;
	struct compute_settings compute = s->compute;

	compute.tenants = s->max_tenants;
	if (s->pin)
		pin(a->index);
	if (take_lock(a) != 0)
		return -1;
	a->compute = compute_new(&compute, attempt_computed, a, a->error);
	if (a->compute == NULL)
		return -1;
	if (s->runner.socket != NULL) {
		a->runner = runner_client_new(&s->runner, attempt_came_back, a);
		if (a->runner == NULL)
			return err_memory(a->error);
	}
	a->secrets = secrets_new();
	if (a->secrets == NULL)
		return err_memory(a->error);
	a->now_ns = clock_mono_ns();
	a->check_at = a->now_ns;
	a->random = (uint64_t)a->now_ns | 1;
	a->epoch = (uint16_t)(atomic_fetch_add(&a->shared->epoch, 1) + 1);
	atomic_store(&a->shared->load, 0);
	atomic_store(&a->shared->alive, 1);
	takeover(a, a->index);
	return 0;
}

static void
unequip(struct arena *a)
{
	if (a->compute != NULL)
		compute_free(a->compute);
	attempts_io_drop(a);
	if (a->runner != NULL)
		runner_client_free(a->runner);
	io_destroy(&a->io);
	takeover_let_go(a);
	attempts_free(a);
	if (!a->failed)
		limits_leave(a);
	secrets_free(a);
	timers_free(&a->timers);
}

static void *
arena_main(void *arg)
{
	struct arena *a = arg;

	pthread_mutex_lock(&a->awake);
	a->failed = equip(a) != 0;
	sem_post(&a->started);
	if (!a->failed)
		arena_loop(a);
	unequip(a);
	if (!a->failed) {
		atomic_store(&a->shared->alive, 0);
		atomic_fetch_add(&a->shared->epoch, 1);
	}
	pthread_mutex_unlock(&a->awake);
	pthread_mutex_unlock(&a->shared->lock);
	return NULL;
}

static void
arena_free(struct arena *a)
{
	if (a->plan_ops != NULL)
		for (unsigned i = 0; i < a->exec->settings.max_plans; i++)
			free(a->plan_ops[i].ops);
	sem_destroy(&a->started);
	pthread_mutex_destroy(&a->awake);
	fair_free(&a->active);
	fair_free(&a->parked_runs);
	fair_free(&a->waiting);
	free(a->plan_ops);
	free(a->locals);
	free(a->held);
	free(a);
}

static int
thread_start(struct arena *a)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&a->thread, NULL, arena_main, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int
arena_start(struct exec *e, unsigned index, struct err *err)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return err_memory(err);
	a->exec = e;
	a->index = index;
	a->error = err;
	a->shared = &e->arenas[index];
	a->inbox = exec_inbox(e, index);
	a->flush_end = &a->flush;
	a->starve_ns = STARVE_NS;
	sem_init(&a->started, 0, 0);
	pthread_mutex_init(&a->awake, NULL);
	a->locals = calloc(e->settings.max_runs, sizeof(*a->locals));
	a->plan_ops = calloc(e->settings.max_plans, sizeof(*a->plan_ops));
	a->held = calloc(e->settings.arenas, sizeof(*a->held));
	e->arena = a;
	if (fair_create(&a->active, e->tenants.count) != 0 ||
	    fair_create(&a->parked_runs, e->tenants.count) != 0 ||
	    fair_create(&a->waiting, e->tenants.gates.count) != 0 ||
	    a->locals == NULL || a->plan_ops == NULL || a->held == NULL ||
	    thread_start(a) != 0) {
		arena_free(a);
		e->arena = NULL;
		return err_memory(err);
	}
	while (sem_wait(&a->started) != 0)
		;
	if (!a->failed)
		return 0;
	pthread_join(a->thread, NULL);
	arena_free(a);
	e->arena = NULL;
	return -1;
}

static void
wake_now(struct arena *a)
{
	atomic_store(&a->shared->sleeping, 1);
	arena_wake(a->shared);
}

void
arena_hold(struct arena *a)
{
	if (atomic_exchange(&a->hold, true))
		return;
	pthread_mutex_lock(&a->awake);
	a->now_ns = clock_mono_ns();
	for (uint32_t i = 0; i < a->exec->settings.max_runs; i++) {
		if (!a->locals[i].open)
			continue;
		attempts_tell(a, &a->locals[i]);
		journal_mark(a->exec, i, true);
	}
}

void
arena_stop(struct arena *a)
{
	atomic_store(&a->stop, true);
	if (atomic_load(&a->hold))
		pthread_mutex_unlock(&a->awake);
	wake_now(a);
	pthread_join(a->thread, NULL);
	a->exec->arena = NULL;
	arena_free(a);
}
