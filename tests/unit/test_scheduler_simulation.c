/* Simulation of the scheduler: random plans, outcomes, stops, pauses and
 * crashes, each judged by an oracle that knows only the document's rules. Of a
 * sync run it also knows what a database holds: nothing may follow from what is
 * not there. Attempts are numbered by the log of events, which is in memory as
 * the records are, and which the database has a part of.
 *
 * long: one world and the one oracle that judges all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exec/event.h"
#include "exec/scheduler.h"
#include "sim_fanout.h"

#define NODES_MAX 40
#define LOG_MAX	  4000

static uint64_t seed;

static uint32_t
rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

/* --- a random plan: only the tables that the scheduler reads --- */

struct sim_plan {
	struct plan head;
	struct plan_node nodes[NODES_MAX];
	uint32_t successor_index[NODES_MAX + 1];
	uint32_t successors[NODES_MAX * NODES_MAX];
	uint32_t roots[NODES_MAX];
	bool edge[NODES_MAX][NODES_MAX]; /* from, to */
};

static void
plan_edges(struct sim_plan *p, uint32_t n)
{
	uint32_t density = 1 + rnd(60);

	for (uint32_t from = 0; from < n; from++)
		for (uint32_t to = from + 1; to < n; to++)
			p->edge[from][to] = rnd(100) < density;
}

static void
plan_tables(struct sim_plan *p, uint32_t n)
{
	uint32_t count = 0;

	/* Node indexes are not in topological order in a document. */
	uint32_t place[NODES_MAX];
	bool edge[NODES_MAX][NODES_MAX] = {{false}};

	for (uint32_t i = 0; i < n; i++)
		place[i] = i;
	for (uint32_t i = n; i-- > 1;) {
		uint32_t j = rnd(i + 1), t = place[i];

		place[i] = place[j];
		place[j] = t;
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t j = 0; j < n; j++)
			edge[place[i]][place[j]] = p->edge[i][j];
	memcpy(p->edge, edge, sizeof(edge));
	for (uint32_t i = 0; i < n; i++) {
		p->successor_index[i] = count;
		for (uint32_t j = 0; j < n; j++) {
			if (!p->edge[i][j])
				continue;
			p->successors[count++] = j;
			p->nodes[j].indegree++;
		}
	}
	p->successor_index[n] = count;
	for (uint32_t i = 0; i < n; i++)
		if (p->nodes[i].indegree == 0)
			p->roots[p->head.root_count++] = i;
}

static void
plan_random(struct sim_plan *p)
{
	uint32_t n = 1 + rnd(NODES_MAX);
	bool triggers = rnd(2) != 0;

	memset(p, 0, sizeof(*p));
	p->head.node_count = n;
	p->head.nodes = offsetof(struct sim_plan, nodes);
	p->head.successor_index = offsetof(struct sim_plan, successor_index);
	p->head.successors = offsetof(struct sim_plan, successors);
	p->head.roots = offsetof(struct sim_plan, roots);
	plan_edges(p, n);
	plan_tables(p, n);
	for (uint32_t i = 0; i < n; i++) {
		struct plan_node *d = &p->nodes[i];

		d->trigger = (uint8_t)(triggers ? rnd(5) : 0);
		d->flags = rnd(3) == 0 ? PLAN_NODE_PURE : 0;
		if (d->flags == 0 && rnd(4) == 0) {
			d->for_each = 1;
			d->concurrency = 1 + rnd(FAN_MAX);
		}
		d->retry_limit = (uint16_t)(rnd(3) == 0 ? rnd(4) : 0);
		d->retry_backoff_ns = 1 + rnd(1000);
		d->retry_factor = 2;
		d->retry_max_ns = 3000;
		d->retry_jitter = (float)rnd(2) / 2;
		if (rnd(5) == 0)
			d->flags |= PLAN_NODE_ONCE;
	}
}

/* --- the world around the scheduler --- */

struct world {
	struct sim_plan plan;
	struct run run;
	struct run_state state;
	void *memory;
	int64_t now;
	uint32_t failing; /* percent */
	bool stopped;
	bool pauses; /* it is paused and resumed at random */
	bool paused;
	bool sync;
	bool crashes, crashed;
	uint32_t durable;	    /* entries of the order in the database */
	uint32_t place[NODES_MAX];  /* in the order, + 1 */
	uint32_t effects, crash_at; /* 0: never at a certain one */
	bool running[NODES_MAX];
	bool asked[NODES_MAX]; /* to stop */
	int64_t due[NODES_MAX];
	uint32_t starts[NODES_MAX];
	uint32_t ends[NODES_MAX];
	uint32_t known; /* completions already checked */
	struct run_event log[LOG_MAX];
	uint32_t logged, logged_durable;
	bool goes_on[NODES_MAX];	/* its op does */
	int64_t attempt_at[NODES_MAX];	/* when what runs began */
	uint32_t cut_off[NODES_MAX];	/* interruptions the log should have */
	uint32_t flushed[NODES_MAX];	/* a copy of the order that was read */
	struct sim_fan fans[NODES_MAX]; /* of nodes with for_each */
};

static void crash(struct world *);

static bool
terminal(const struct world *w, uint32_t i)
{
	return node_state(&w->run.nodes[i]) >= NODE_SUCCESS;
}

/* Whether anyone may know that node i has ended. */
static bool
visible(const struct world *w, uint32_t i)
{
	return terminal(w, i) &&
	       (!w->sync || (w->place[i] > 0 && w->place[i] <= w->durable));
}

/* What the documented rules say of node i with what its dependencies are now:
 * 1 start, 0 wait, -1 skip. */
static int
oracle(const struct world *w, uint32_t i)
{
	uint32_t n = w->plan.head.node_count;
	uint32_t all = 0, ended = 0, success = 0, failed = 0;

	for (uint32_t d = 0; d < n; d++) {
		enum node_state s = node_state(&w->run.nodes[d]);

		if (!w->plan.edge[d][i])
			continue;
		all++;
		if (!visible(w, d))
			continue;
		ended++;
		success += s == NODE_SUCCESS;
		failed += s == NODE_FAILED;
	}
	switch ((enum trigger)w->plan.nodes[i].trigger) {
	case TRIGGER_ALL_SUCCESS:
		return ended < all ? 0 : success == all ? 1 : -1;
	case TRIGGER_ALL_DONE:
		return ended == all;
	case TRIGGER_ANY_SUCCESS:
		return success > 0 ? 1 : ended < all ? 0 : -1;
	case TRIGGER_ANY_FAILED:
		return failed > 0 ? 1 : ended < all ? 0 : -1;
	case TRIGGER_NONE_FAILED:
		return ended < all ? 0 : failed == 0 ? 1 : -1;
	}
	return 0;
}

static void
check_ends(struct world *w)
{
	uint32_t completed = atomic_load(&w->state.completed);

	for (uint32_t k = 0; k < w->known; k++)
		assert_int_equal(w->run.order[k], w->flushed[k]);
	for (; w->known < completed; w->known++) {
		uint32_t i = w->run.order[w->known];

		w->flushed[w->known] = i;
		assert_int_equal(++w->ends[i], 1);
		assert_true(terminal(w, i));
		w->place[i] = w->known + 1;
	}
}

/* --- the log --- */

static void
log_put(struct world *w, uint32_t i, enum event_kind kind)
{
	const struct node_record *n = &w->run.nodes[i];

	assert_true(w->logged < LOG_MAX);
	w->log[w->logged++] = (struct run_event){.node = i,
	    .element = ELEMENT_NONE,
	    .kind = (uint8_t)kind,
	    .attempt = n->attempts,
	    .started_ns = n->completed_ns,
	    .completed_ns = w->now};
}

static const struct run_event *
log_last(const struct world *w)
{
	return w->logged == 0 ? NULL : &w->log[w->logged - 1];
}

static uint32_t
log_count(const struct world *w, uint32_t i, enum event_kind kind)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < w->logged; k++)
		count += w->log[k].node == i && w->log[k].kind == (uint8_t)kind;
	return count;
}

/* Of what runs, some is told of when the journal is flushed. */
static void
log_some(struct world *w)
{
	for (uint32_t i = 0; i < w->plan.head.node_count; i++) {
		struct node_record *n = &w->run.nodes[i];

		if (!w->running[i] || (n->flags & NODE_TOLD) || rnd(2))
			continue;
		log_put(w, i, EVENT_STARTED);
		n->flags |= NODE_TOLD;
	}
}

/* Attempt after attempt, each interrupted at most so often; no word of one
 * before that of the one before it. */
static void
check_log(const struct world *w)
{
	for (uint32_t i = 0; i < w->plan.head.node_count; i++) {
		uint32_t attempt = 1, interrupted = 0;

		for (uint32_t k = 0; k < w->logged; k++) {
			const struct run_event *e = &w->log[k];

			if (e->node != i)
				continue;
			assert_int_equal(e->attempt, attempt);
			assert_true(e->started_ns <= e->completed_ns);
			interrupted += e->kind == EVENT_INTERRUPTED;
			assert_true(interrupted < INTERRUPTED_MAX);
			if (e->kind != EVENT_TRIED)
				continue;
			attempt++;
			interrupted = 0;
		}
		assert_int_equal(
		    log_count(w, i, EVENT_INTERRUPTED), w->cut_off[i]);
		if (terminal(w, i) && w->starts[i] > 0)
			assert_true(
			    w->run.nodes[i].attempts == attempt ||
			    node_state(&w->run.nodes[i]) == NODE_CANCELLED);
	}
}

/* --- what happens to nodes --- */

static void
end_node(struct world *w, uint32_t i, enum node_state s)
{
	assert_true(w->running[i]);
	w->running[i] = false;
	if (w->fans[i].opened)
		fan_check_final(&w->fans[i], s);
	sched_end(&w->run, i, s, w->now);
}

static void
start_node(struct world *w, uint32_t i)
{
	bool gives_up, went_on;

	assert_false(w->paused);
	assert_int_equal(oracle(w, i), 1);
	assert_false(terminal(w, i));
	assert_false(w->running[i]);
	if (w->stopped)
		assert_int_equal(w->plan.nodes[i].trigger, TRIGGER_ALL_DONE);
	w->starts[i]++;
	if (w->run.wait[i] & AWAIT_PURE) {
		sched_pure(&w->run, i, w->now, w->now + 1);
		w->now++;
		return;
	}
	gives_up = record_gives_up(&w->plan.nodes[i], &w->run.nodes[i]);
	went_on = w->run.nodes[i].flags & NODE_GOES_ON;
	sched_start(&w->run, i, w->now);
	w->running[i] = true;
	w->asked[i] = false;
	assert_int_equal(
	    w->run.nodes[i].attempts, 1 + log_count(w, i, EVENT_TRIED));
	assert_int_equal(
	    w->run.nodes[i].completed_ns, went_on ? w->attempt_at[i] : w->now);
	w->attempt_at[i] = w->run.nodes[i].completed_ns;
	if (!gives_up && w->plan.nodes[i].for_each != 0)
		fan_open(&w->fans[i], &w->plan.nodes[i]);
	if (!gives_up)
		return;
	assert_true(w->crashed);
	assert_true((w->plan.nodes[i].flags & PLAN_NODE_ONCE) ||
		    node_interruptions(&w->run.nodes[i]) == INTERRUPTED_MAX);
	end_node(w, i, NODE_FAILED);
}

/* Pulls some of what the scheduler wants done. */
static bool
pull(struct world *w, uint32_t most)
{
	uint32_t i;

	for (; most > 0; most--) {
		switch (sched_next(&w->run, &i)) {
		case NEXT_NONE:
			return false;
		case NEXT_SKIP:
			assert_false(w->paused);
			assert_int_equal(oracle(w, i), -1);
			assert_int_equal(w->starts[i], 0);
			sched_end(&w->run, i, NODE_SKIPPED, w->now);
			break;
		case NEXT_START:
			start_node(w, i);
			break;
		}
		check_ends(w);
	}
	return true;
}

static void
step_fan(struct world *w, uint32_t i)
{
	struct sim_fan *s = &w->fans[i];

	if (w->asked[i] && !s->stopped)
		fan_stop(s, w->now);
	if (fanout_ended(&s->f))
		end_node(w, i, fanout_state(&s->f));
	else
		fan_step(s, w->failing, w->paused, w->now);
}

static void
finish_node(struct world *w, uint32_t i)
{
	uint32_t dice = rnd(100);

	if (w->plan.nodes[i].for_each != 0) {
		step_fan(w, i);
		return;
	}

	if (w->asked[i] && dice < 80) {
		end_node(w, i, NODE_CANCELLED);
	} else if (dice < w->failing) {
		uint16_t attempts = w->run.nodes[i].attempts;
		bool retryable = rnd(4) != 0;

		if (sched_may_retry(&w->run, i, retryable)) {
			assert_true(retryable);
			assert_true(attempts <= w->plan.nodes[i].retry_limit);
			log_put(w, i, EVENT_TRIED);
			w->running[i] = false;
			if (w->crashes && rnd(10) == 0) {
				crash(w); /* the log is one ahead */
				return;
			}
			w->due[i] = sched_retry_at(
			    &w->run, i, w->now, (uint32_t)rnd(UINT32_MAX));
			assert_true(w->due[i] >= w->now);
			assert_true(w->due[i] <= w->now + 4500);
		} else {
			assert_true(!retryable || w->asked[i] || w->stopped ||
				    attempts > w->plan.nodes[i].retry_limit);
			end_node(w, i, NODE_FAILED);
		}
	} else if (dice > 95) {
		end_node(w, i, NODE_SKIPPED); /* its condition does not hold */
	} else {
		end_node(w, i, NODE_SUCCESS);
	}
}

/* A fan-out of which nothing runs and, in a paused run, nothing may start. */
static bool
waits_for_resume(const struct world *w, uint32_t i)
{
	return w->paused && w->plan.nodes[i].for_each != 0 &&
	       !fan_runs(&w->fans[i]);
}

/* Lets one running node end or one retry become due; false: there is none. */
static bool
event(struct world *w)
{
	uint32_t n = w->plan.head.node_count;
	uint32_t first = rnd(n);

	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (first + k) % n;

		w->now += rnd(50);
		if (w->running[i] && !waits_for_resume(w, i)) {
			finish_node(w, i);
			return true;
		}
		if (node_state(&w->run.nodes[i]) == NODE_RETRY) {
			w->now = w->due[i] > w->now ? w->due[i] : w->now;
			sched_retry(&w->run, i);
			return true;
		}
	}
	return false;
}

static void
stop(struct world *w)
{
	bool ended = sched_ended(&w->run);

	sched_stop(
	    &w->run, rnd(2) ? RUN_STOP_CANCEL : RUN_STOP_TIMEOUT, w->now);
	if (ended)
		return;
	w->stopped = true;
	w->paused = false;
	for (uint32_t i = 0; i < w->plan.head.node_count; i++) {
		w->asked[i] = w->running[i];
		if (w->plan.nodes[i].trigger != TRIGGER_ALL_DONE &&
		    !w->running[i])
			assert_true(terminal(w, i));
	}
	check_ends(w);
}

/* Whoever stops can't be paused: its cleanups run. */
static void
pause_or_resume(struct world *w)
{
	bool pause = rnd(2) != 0;

	if (pause)
		sched_pause(&w->run);
	else
		sched_resume(&w->run);
	w->paused = pause && !w->stopped;
}

/* The database has the order up to here. */
static void
commit(struct world *w, uint32_t durable)
{
	check_ends(w);
	log_some(w);
	w->durable = durable;
	w->logged_durable = w->logged;
	if (rnd(10) == 0) /* an answer that is old by now */
		sched_release(&w->run, rnd(durable + 1));
	sched_release(&w->run, durable);
}

/* What takes the run over; false: that died, too. */
static bool
recover(struct world *w)
{
	const struct run_event *last = log_last(w);

	if (last != NULL)
		record_recover(&w->plan.nodes[last->node],
		    &w->run.nodes[last->node], last, (uint32_t)rnd(UINT32_MAX));
	if (rnd(10) == 0)
		return false;
	sched_rebuild(&w->run, w->durable, w->now);
	for (uint32_t i = 0; i < w->plan.head.node_count; i++) {
		struct node_record *n = &w->run.nodes[i];
		struct run_event place = {.node = i, .element = ELEMENT_NONE};

		if (!record_is_cut_off(n))
			continue;
		if (rnd(10) == 0)
			return false;
		if (record_logs_interruption(&w->plan.nodes[i], n,
			w->goes_on[i], log_last(w), &place)) {
			log_put(w, i, EVENT_INTERRUPTED);
			w->cut_off[i]++;
		}
		if (rnd(10) == 0)
			return false;
		record_interrupted(n, w->goes_on[i]);
	}
	return true;
}

/* Loses everything that is derived, as a dead process does; sometimes also the
 * order's last entry, which is written after the node's state. */
static void
crash(struct world *w)
{
	uint32_t completed = atomic_load(&w->state.completed);
	uint32_t n = w->plan.head.node_count;

	if (rnd(3) == 0 && completed > 0 && w->known < completed)
		atomic_store(&w->state.completed, completed - 1);
	memset(w->run.wait, 0xaa, n * sizeof(uint32_t));
	memset(w->run.queue, 0xaa, n * sizeof(uint32_t));
	run_view(&w->run, &w->plan.head, &w->state, w->memory);
	for (uint32_t i = 0; i < n; i++)
		if (w->running[i])
			fan_crash(&w->fans[i], w->now);
	memset(w->running, 0, sizeof(w->running));
	memset(w->asked, 0, sizeof(w->asked));
	w->crashed = true;
	while (!recover(w))
		;
	if (w->paused)
		sched_pause(&w->run);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_not_equal(
		    node_state(&w->run.nodes[i]), NODE_RUNNING);
		if (node_state(&w->run.nodes[i]) == NODE_RETRY) {
			assert_int_equal(w->run.nodes[i].attempts,
			    log_count(w, i, EVENT_TRIED));
			w->due[i] = w->run.nodes[i].completed_ns;
		}
	}
	check_ends(w);
	check_log(w);
}

/* The machine is gone: what is left is what the database holds. */
static void
lose_memory(struct world *w)
{
	uint32_t n = w->plan.head.node_count;

	check_ends(w);
	for (uint32_t k = w->durable; k < w->known; k++) {
		uint32_t i = w->flushed[k];

		w->ends[i] = w->place[i] = 0;
		memset(&w->run.nodes[i], 0, sizeof(w->run.nodes[i]));
	}
	for (uint32_t i = 0; i < n; i++)
		if (!terminal(w, i)) {
			memset(&w->run.nodes[i], 0, sizeof(w->run.nodes[i]));
			fan_crash(&w->fans[i], w->now);
			fan_lose_memory(&w->fans[i]);
		}
	w->logged = w->logged_durable;
	memset(w->cut_off, 0, sizeof(w->cut_off));
	for (uint32_t k = 0; k < w->logged; k++) {
		uint32_t i = w->log[k].node;

		w->cut_off[i] += w->log[k].kind == EVENT_INTERRUPTED;
		w->attempt_at[i] = w->log[k].started_ns;
		if (!terminal(w, i))
			record_restore(&w->plan.nodes[i], &w->run.nodes[i],
			    &w->log[k], (uint32_t)rnd(UINT32_MAX));
	}
	w->known = w->durable;
	atomic_store(&w->state.completed, w->durable);
	memset(w->run.order + w->durable, 0xaa,
	    (n - w->durable) * sizeof(uint32_t));
	crash(w);
}

/* A crash right after a node's state was written, before anything else. */
static void
crash_in_the_middle_of_an_end(struct world *w)
{
	for (uint32_t i = 0; i < w->plan.head.node_count; i++) {
		if (!w->running[i])
			continue;
		w->run.nodes[i].completed_ns = w->now;
		atomic_store(&w->run.nodes[i].state,
		    (uint8_t)(rnd(2) ? NODE_SUCCESS : NODE_FAILED));
		break;
	}
	crash(w);
}

static enum run_status
oracle_status(const struct world *w)
{
	for (uint32_t i = 0; i < w->plan.head.node_count; i++)
		if (node_state(&w->run.nodes[i]) == NODE_FAILED)
			return RUN_FAILED;
	if (!w->stopped)
		return RUN_SUCCESS;
	return atomic_load(&w->state.stop) == RUN_STOP_CANCEL ? RUN_CANCELLED
							      : RUN_FAILED;
}

static void
check_final(struct world *w)
{
	uint32_t n = w->plan.head.node_count;

	assert_int_equal(atomic_load(&w->state.completed), n);
	assert_int_equal(w->known, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct node_record *r = &w->run.nodes[i];

		assert_int_equal(w->ends[i], 1);
		assert_true(r->started_ns <= r->completed_ns);
		for (uint32_t d = 0; d < n && w->starts[i] > 0; d++)
			if (w->plan.edge[d][i] &&
			    w->plan.nodes[i].trigger != TRIGGER_ANY_SUCCESS &&
			    w->plan.nodes[i].trigger != TRIGGER_ANY_FAILED)
				assert_true(w->run.nodes[d].completed_ns <=
					    r->started_ns);
		/* A cleanup is never cancelled before it started. */
		if (node_state(r) == NODE_CANCELLED &&
		    w->plan.nodes[i].trigger == TRIGGER_ALL_DONE)
			assert_true(w->starts[i] > 0);
		if (w->starts[i] == 0 && !w->stopped)
			assert_int_equal(node_state(r), NODE_SKIPPED);
	}
	assert_int_equal(sched_status(&w->run), oracle_status(w));
}

static bool
crash_perhaps(struct world *w, bool crashes)
{
	if (++w->effects == w->crash_at || (crashes && rnd(20) == 0)) {
		if (w->sync && rnd(2))
			lose_memory(w);
		else
			crash(w);
		return true;
	}
	if (!crashes || rnd(30) != 0)
		return false;
	crash_in_the_middle_of_an_end(w);
	return true;
}

/* A commit, an end of a node, or a retry that is due; false: none of these. */
static bool
advance(struct world *w)
{
	uint32_t behind = w->known - w->durable;

	if (w->sync && behind > 0 && rnd(2)) {
		commit(w, w->durable + 1 + rnd(behind));
		return true;
	}
	if (event(w))
		return true;
	if (!w->sync || behind == 0)
		return false;
	commit(w, w->known);
	return true;
}

/* A paused run in which nothing runs waits for someone to resume it. */
static bool
resume(struct world *w)
{
	if (!w->paused)
		return false;
	w->paused = false;
	sched_resume(&w->run);
	return true;
}

static void
simulate(struct world *w, bool stops, bool crashes)
{
	plan_random(&w->plan);
	if (w->sync)
		w->plan.head.durability = DURABILITY_SYNC;
	w->failing = rnd(3) == 0 ? 0 : rnd(60);
	w->crashes = crashes;
	for (uint32_t i = 0; i < w->plan.head.node_count; i++)
		w->goes_on[i] = w->plan.nodes[i].for_each != 0 || rnd(3) == 0;
	w->memory = calloc(1, run_memory_size(w->plan.head.node_count));
	assert_non_null(w->memory);
	run_view(&w->run, &w->plan.head, &w->state, w->memory);
	sched_begin(&w->run);
	while (!sched_ended(&w->run)) {
		bool more = pull(w, 1 + rnd(8));

		if (stops && rnd(30) == 0)
			stop(w);
		if (w->pauses && rnd(10) == 0)
			pause_or_resume(w);
		check_ends(w);
		if (crash_perhaps(w, crashes))
			continue;
		if (!more && !sched_ended(&w->run))
			/* Nothing to do and nothing to come: it hangs. */
			assert_true(
			    advance(w) || sched_ready(&w->run) || resume(w));
		else if (rnd(2))
			advance(w);
		check_ends(w);
	}
	/* It ended exactly when its last node did: nothing is left to do. */
	assert_false(pull(w, 1));
	check_final(w);
	check_log(w);
	free(w->memory);
}

/* Each run has its own seed, printed by whatever fails. */
static uint64_t first_seed;
static uint64_t run_seed;

/* How many effects the run had. */
static uint32_t
simulate_one(uint32_t i, bool sync, bool stops, bool crashes, uint32_t crash_at)
{
	static struct world w;

	run_seed = (first_seed + i) * 0x9e3779b97f4a7c15ull | 1;
	seed = run_seed;
	memset(&w, 0, sizeof(w));
	w.sync = sync;
	w.pauses = i % 3 == 0;
	w.crash_at = crash_at;
	simulate(&w, stops, crashes);
	return w.effects;
}

static void
simulate_many(uint32_t count, bool stops, bool crashes)
{
	for (uint32_t i = 0; i < count; i++)
		simulate_one(i, i % 2 != 0, stops, crashes, 0);
	run_seed = 0;
}

static int
print_seed(void **state)
{
	(void)state;
	if (run_seed != 0)
		print_error(
		    "first seed %llu: run the test with it to see it again\n",
		    (unsigned long long)first_seed);
	run_seed = 0;
	return 0;
}

static void
random_plans_run_by_the_rules(void **state)
{
	(void)state;
	simulate_many(5000, false, false);
}

static void
stopped_runs_end_and_only_cleanups_start(void **state)
{
	(void)state;
	simulate_many(5000, true, false);
}

static void
crashes_lose_and_repeat_no_completion(void **state)
{
	(void)state;
	simulate_many(5000, false, true);
}

static void
crashes_of_stopped_runs_are_survived(void **state)
{
	(void)state;
	simulate_many(5000, true, true);
}

static void
sync_runs_survive_a_crash_at_every_point(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t effects = simulate_one(i, true, i % 4 == 0, false, 0);

		for (uint32_t at = 1; at <= effects; at++)
			simulate_one(i, true, i % 4 == 0, false, at);
	}
	run_seed = 0;
}

/* An argument is the first seed. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		random_plans_run_by_the_rules, print_seed),
	    cmocka_unit_test_teardown(
		stopped_runs_end_and_only_cleanups_start, print_seed),
	    cmocka_unit_test_teardown(
		crashes_lose_and_repeat_no_completion, print_seed),
	    cmocka_unit_test_teardown(
		crashes_of_stopped_runs_are_survived, print_seed),
	    cmocka_unit_test_teardown(
		sync_runs_survive_a_crash_at_every_point, print_seed),
	};

	first_seed = (uint64_t)time(NULL) * 100000;
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
