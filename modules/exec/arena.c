/* arena.c - the thread: inbox, timers, turns of runs, sleep. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"
#include "exec/lease.h"

#define LOCAL_OF(member, at) ((struct local *)(void *)((char *)(member) - (at)))

/* --- waking --- */

void
arena_wake(struct arena_shared *s)
{
	uint64_t one = 1;

	if (atomic_load(&s->sleeping) == 0 ||
	    atomic_exchange(&s->sleeping, 0) == 0)
		return;
	while (write(s->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
arena_look(struct exec *e, unsigned arena, uint32_t slot)
{
	bits_add(exec_inbox(e, arena), slot);
	arena_wake(&e->arenas[arena]);
}

void
arena_memory_freed(struct exec *e)
{
	atomic_fetch_add_explicit(&e->global->freed, 1, memory_order_relaxed);
	if (atomic_load(&e->global->starved) == 0)
		return;
	atomic_store(&e->global->starved, 0);
	for (unsigned i = 0; i < e->settings.arenas; i++)
		arena_wake(&e->arenas[i]);
}

/* --- turns --- */

void
arena_activate(struct arena *a, struct local *l)
{
	fair_push(&a->active, &l->active, l->tenant, l->priority);
}

/* Events that are not offered to the journal yet, or will be some. */
static bool
has_events(const struct arena *a, const struct local *l)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];

	return attempts_untold(l) ||
	       event_count(&slot->events) > slot_flush_to(slot).events;
}

static void
queue_flush(struct arena *a, struct local *l)
{
	if (l->flush_queued)
		return;
	l->flush_queued = true;
	l->flush_at = a->now_ns + a->exec->settings.flush_ns;
	l->flush_next = NULL;
	*a->flush_end = l;
	a->flush_end = &l->flush_next;
}

/* batch: the state at once, completions a little later. sync: both as soon as
 * nothing can start before they are committed, so one commit a frontier.
 * memory: only the state, if the run takes time. */
static void
tell_journal(struct arena *a, struct local *l)
{
	bool fresh = !l->announced;

	switch ((enum durability)l->run.plan->durability) {
	case DURABILITY_SYNC:
		if (has_events(a, l))
			queue_flush(a, l);
		if (sched_ready(&l->run) ||
		    (!fresh && l->run.completed == l->asked))
			return;
		l->asked = l->run.completed;
		journal_mark(a->exec, l->slot, true);
		break;
	case DURABILITY_MEMORY:
		if (fresh)
			queue_flush(a, l);
		break;
	case DURABILITY_BATCH:
	case DURABILITY_COUNT:
		if (fresh)
			journal_mark(a->exec, l->slot, false);
		if (has_events(a, l) ||
		    l->run.completed >
			slot_flush_to(&a->exec->slots.list[l->slot]).completed)
			queue_flush(a, l);
		break;
	}
	l->announced = true;
}

void
arena_settle(struct arena *a, struct local *l)
{
	if (!l->open || l->parked)
		return;
	if (l->counted != l->run.completed) {
		uint32_t from = l->counted;

		/* Also a barrier: who watches sees the ends, or is seen. */
		atomic_fetch_add(
		    &a->shared->nodes_completed, l->run.completed - l->counted);
		l->counted = l->run.completed;
		sched_publish(&l->run);
		live_run_nodes(a, l, from);
	}
	if (l->elements_of != 0) {
		live_run_elements(a, l, l->elements_of - 1);
		l->elements_of = 0;
	}
	if (sched_ended(&l->run)) {
		local_end(a, l);
		return;
	}
	tell_journal(a, l);
	if (sched_ready(&l->run) || l->fans_ready != NULL)
		arena_activate(a, l);
}

/* Up to TURN_NODES of a run. One clock reading a node: the end of one is the
 * start of the next. */
static void
turn(struct arena *a, struct local *l)
{
	struct run *r = &l->run;
	int64_t base = l->base_ns;
	int64_t now = clock_mono_ns() - base;
	int64_t end = now + TURN_NS;
	uint32_t node;

	if (lease_over(a->exec->settings.lease, now + base)) {
		a->now_ns = now + base;
		arena_activate(a, l);
		return;
	}
	for (unsigned i = 0; i < TURN_NODES && now < end; i++) {
		enum next_step step = sched_next(r, &node);
		int64_t started = now;

		if (step == NEXT_NONE)
			break;
		if (step == NEXT_SKIP) {
			sched_end(r, node, NODE_SKIPPED, now);
		} else if (r->wait[node] & AWAIT_PURE) {
			now = clock_mono_ns() - base;
			sched_pure(r, node, started, now);
		} else {
			attempt_start(a, l, node, now);
			now = clock_mono_ns() - base;
		}
	}
	if (l->fans_ready != NULL) {
		fans_turn(a, l, end);
		now = clock_mono_ns() - base;
	}
	a->now_ns = now + base;
	arena_settle(a, l);
}

static void
next_turn(struct arena *a)
{
	struct local *l =
	    LOCAL_OF(fair_pop(&a->active), offsetof(struct local, active));

	if (l->open && !l->parked)
		turn(a, l);
}

/* --- what came in --- */

static void
look(struct arena *a, uint32_t i)
{
	struct slot *slot = &a->exec->slots.list[i];
	struct slot_word w = slot_word(&a->exec->slots, i);
	struct slot_word mine = w;
	struct local *l = &a->locals[i];

	if (w.arena != a->index)
		return;
	if (w.state == SLOT_QUEUED) {
		mine.state = SLOT_RUNNING;
		mine.epoch = a->epoch;
		if (slot_move(&a->exec->slots, i, w, mine))
			local_open(a, i, mine);
	} else if (w.state == SLOT_RUNNING && l->open) {
		local_control(a, l);
		sched_release(&l->run, slot_flushed(slot).completed);
		if (l->awaiting != NULL)
			attempts_announced(a, l);
		arena_settle(a, l);
	} else if (w.state == SLOT_RUNNING && l->parked) {
		arena_unpark_runs(a); /* it may be cancelled */
	} else if (w.state == SLOT_RUNNING) {
		local_open(a, i, w); /* it was paused before it began */
	}
}

static void
take_inbox(struct arena *a)
{
	uint32_t first;
	uint64_t mask;

	while ((mask = bits_take(a->inbox, &first)) != 0) {
		for (; mask != 0; mask &= mask - 1)
			look(a, first + (uint32_t)__builtin_ctzll(mask));
	}
}

static void
run_due(struct arena *a, struct timer *t)
{
	struct local *l = LOCAL_OF(t, offsetof(struct local, timeout));

	local_stop(a, l, RUN_STOP_TIMEOUT);
	arena_settle(a, l);
}

static void
take_timers(struct arena *a)
{
	struct timer *t;

	for (unsigned n = 0; n < TIMERS_A_TURN; n++) {
		t = timers_pop(&a->timers, a->now_ns);
		if (t == NULL)
			return;
		if (t->kind == TIMER_RUN)
			run_due(a, t);
		else
			attempt_due(a, (void *)t);
	}
}

static void
take_flushes(struct arena *a)
{
	while (a->flush != NULL && a->flush->flush_at <= a->now_ns) {
		struct local *l = a->flush;

		a->flush = l->flush_next;
		if (a->flush == NULL)
			a->flush_end = &a->flush;
		l->flush_queued = false;
		if (!l->open)
			continue;
		attempts_tell(a, l);
		if (attempts_untold(l))
			queue_flush(a, l);
		journal_mark(a->exec, l->slot, true);
	}
}

void
arena_unpark_runs(struct arena *a)
{
	/* Those that wait again are behind these. */
	for (uint32_t n = a->parked_runs.count; n > 0; n--) {
		struct local *l = LOCAL_OF(
		    fair_pop(&a->parked_runs), offsetof(struct local, waits));

		l->parked = false;
		if (l->open)
			arena_settle(a, l);
		else
			local_open(a, l->slot, l->word);
	}
}

void
local_park(struct arena *a, struct local *l)
{
	if (l->parked)
		return;
	l->parked = true;
	fair_push(&a->parked_runs, &l->waits, l->tenant, l->priority);
	atomic_store(&a->exec->global->starved, 1);
}

bool
arena_may_take(struct arena *a, enum claim claim)
{
	size_t reserve = a->exec->settings.reserve_bytes;
	size_t free = claim == CLAIM_BEGIN ? reserve / 2 : reserve / 4;

	return shm_free_estimate(&a->exec->shm) >= free ||
	       plan_cache_shrink(&a->exec->plans, free);
}

static bool
any_ended(const struct exec *e)
{
	for (uint32_t i = 0; i < e->slots.count; i++)
		if (slot_word(&e->slots, i).state >= SLOT_ENDED)
			return true;
	return false;
}

/* All memory may be held by runs that need more of it to end. Then nothing
 * will ever be freed, and what waits must fail instead. While ended runs wait
 * for the database, it only takes time. */
static void
check_starvation(struct arena *a)
{
	uint32_t freed = atomic_load(&a->exec->global->freed);

	if ((a->parked == NULL && a->parked_runs.count == 0) ||
	    freed != a->freed_seen) {
		a->freed_seen = freed;
		a->freed_at = a->now_ns;
		return;
	}
	a->desperate =
	    a->now_ns - a->freed_at > a->starve_ns && !any_ended(a->exec);
}

static void
unpark(struct arena *a)
{
	arena_unpark_runs(a);
	attempts_unpark(a);
	a->desperate = false;
}

static void
check(struct arena *a)
{
	check_starvation(a);
	if (a->parked_runs.count > 0 || a->parked != NULL)
		unpark(a);
	a->check_at = a->now_ns + CHECK_NS;
	limits_check(a);
	takeover_check(a);
	secrets_check(a);
	if (a->open_runs == 0 && !bits_any(a->inbox))
		atomic_store(&a->shared->load, 0);
}

/* --- sleep --- */

static bool
has_work(struct arena *a)
{
	return a->active.count > 0 || bits_any(a->inbox) ||
	       atomic_load(&a->done) != NULL ||
	       bits_any(exec_gate_inbox(a->exec, a->index)) ||
	       atomic_load(&a->exec->secret_notes) != NULL ||
	       atomic_load(&a->stop);
}

static int
sleep_ms(const struct arena *a)
{
	int64_t until = a->check_at;
	int64_t now = clock_mono_ns();

	if (timers_next(&a->timers) < until)
		until = timers_next(&a->timers);
	if (io_due_ns(&a->io) < until)
		until = io_due_ns(&a->io);
	if (a->flush != NULL && a->flush->flush_at < until)
		until = a->flush->flush_at;
	for (unsigned i = 0; i < a->exec->settings.arenas; i++)
		if (a->held[i].held && a->held[i].until_ns < until)
			until = a->held[i].until_ns;
	return until <= now ? 0 : (int)((until - now + 999999) / 1000000);
}

static void
poll_fds(struct arena *a, int timeout_ms)
{
	struct pollfd fds[2 + IO_MAX];
	nfds_t io = io_poll(&a->io, fds + 2);
	uint64_t n;
	int ready;

	fds[0] = (struct pollfd){.fd = a->shared->wake_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = -1};
	if (a->runner != NULL)
		fds[1] = (struct pollfd){.fd = runner_client_fd(a->runner),
		    .events = runner_client_events(a->runner)};
	pthread_mutex_unlock(&a->awake);
	ready = poll(fds, 2 + io, timeout_ms);
	pthread_mutex_lock(&a->awake);
	if (ready < 0)
		return;
	if (fds[0].revents != 0 &&
	    read(a->shared->wake_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return;
	if (fds[1].revents != 0)
		runner_client_ready(a->runner);
	if (io > 0)
		io_ready(&a->io, fds + 2, io, clock_mono_ns());
}

/* Sleeps until there is something to do; where runs are active only looks at
 * the runner and the drivers now and then. */
static void
rest(struct arena *a)
{
	if (a->active.count > 0) {
		if (a->outside > 0 && a->now_ns >= a->poll_at) {
			a->poll_at = a->now_ns + 200000;
			poll_fds(a, 0);
		}
		return;
	}
	atomic_store(&a->shared->sleeping, 1);
	if (!has_work(a))
		poll_fds(a, sleep_ms(a));
	atomic_store(&a->shared->sleeping, 0);
	a->now_ns = clock_mono_ns();
}

/* What runs goes on; nothing begins. */
static void
wait_for_lease(struct arena *a)
{
	poll_fds(a, LEASE_MS);
	a->now_ns = clock_mono_ns();
}

void
arena_loop(struct arena *a)
{
	while (!atomic_load_explicit(&a->stop, memory_order_relaxed)) {
		if (atomic_load_explicit(&a->hold, memory_order_relaxed)) {
			poll_fds(a, -1); /* gives `awake` away */
			continue;
		}
		if (lease_over(a->exec->settings.lease, a->now_ns)) {
			wait_for_lease(a);
			continue;
		}
		take_inbox(a);
		if (atomic_load_explicit(&a->done, memory_order_relaxed))
			attempts_collect(a);
		if (atomic_load_explicit(
			&a->exec->secret_notes, memory_order_relaxed))
			secrets_collect(a);
		if (bits_any(exec_gate_inbox(a->exec, a->index)))
			limits_collect(a);
		take_timers(a);
		take_flushes(a);
		if ((a->parked_runs.count > 0 || a->parked != NULL) &&
		    atomic_load(&a->exec->global->starved) == 0)
			unpark(a);
		if (a->now_ns >= a->check_at)
			check(a);
		if (a->active.count > 0)
			next_turn(a);
		rest(a);
	}
}
