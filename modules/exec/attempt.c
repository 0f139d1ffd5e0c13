/* attempt.c - nodes that take time: from the moment the scheduler lets one
 * start to its end, over compute threads, the runner, timers and retries. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"

#define INLINE_BYTES 8192 /* of JSON: more is parsed on a compute thread */

/* --- start --- */

static void
start_delay(struct arena *a, struct attempt *t)
{
	struct op_call *call = t->call;
	int64_t wait = call->op->delay(call);
	struct local *l = t->local;
	int64_t due;

	if (wait < 0) {
		attempt_finish(a, t);
		return;
	}
	/* Counted from the attempt's start, also where it goes on. */
	t->ends_ns = l->base_ns + attempt_record(t)->completed_ns + wait;
	due = timer_due(&a->timers, &t->timer);
	if (t->ends_ns < due &&
	    timer_arm(&a->timers, &t->timer, t->ends_ns) != 0) {
		op_call_fail(call, true, "out_of_memory",
		    "There is no memory for one more timer.");
		attempt_finish(a, t);
		return;
	}
	t->stage = ATTEMPT_DELAY;
	op_call_free(call);
	t->call = NULL;
}

/* The op itself: conditions hold and parameters are there. */
static void
start_op(struct arena *a, struct attempt *t)
{
	struct op_call *call = t->call;

	if (call->part == CALL_LIST || call->part == CALL_ROOTS) {
		fan_begin(a, t);
		return;
	}
	switch (call->op->kind) {
	case OP_NOOP:
		call->outcome.state = OUTCOME_SUCCESS;
		attempt_finish(a, t);
		return;
	case OP_TIMER:
		start_delay(a, t);
		return;
	case OP_COMPUTE:
		t->stage = ATTEMPT_COMPUTE;
		compute_submit(a->compute, call, COMPUTE_OP);
		return;
	case OP_COMMAND:
		if (a->runner == NULL) {
			op_call_fail(call, false, "no_runner",
			    "This server does not run commands.");
			attempt_finish(a, t);
			return;
		}
		t->stage = ATTEMPT_COMMAND;
		a->outside++;
		runner_client_start(a->runner, call);
		return;
	case OP_INLINE:
		call->op->compute(call);
		attempt_finish(a, t);
		return;
	case OP_IO:
		if (call->op->idle)
			limits_give(a, t);
		t->stage = ATTEMPT_IO;
		if (!attempt_io_start(a, call))
			attempt_finish(a, t);
		return;
	}
}

/* It was stopped before it began. */
static void
cancel(struct arena *a, struct attempt *t)
{
	op_call_cancelled(t->call);
	attempt_finish(a, t);
}

/* What it does outside can't be undone: the database hears of it before. */
static bool
acts_outside(const struct op_call *call)
{
	assert(call != NULL); /* it has not begun */
	return (call->part == CALL_NODE || call->part == CALL_ELEMENT) &&
	       !call->op->goes_on &&
	       (call->op->kind == OP_COMMAND || call->op->kind == OP_IO);
}

void
attempt_act(struct arena *a, struct attempt *t)
{
	if (t->timed_out || t->stopped)
		cancel(a, t);
	else if (!acts_outside(t->call) || attempt_announce(a, t))
		start_op(a, t);
}

static void
prepare(struct arena *a, struct attempt *t)
{
	struct op_call *call = t->call;
	bool op = call->op->kind == OP_COMPUTE &&
		  (call->part == CALL_NODE || call->part == CALL_ELEMENT);

	if (eval_needs_lua(call) || eval_bytes(call) > INLINE_BYTES) {
		t->stage = ATTEMPT_PREPARE;
		compute_submit(a->compute, call,
		    op ? COMPUTE_PREPARE | COMPUTE_OP : COMPUTE_PREPARE);
	} else if (eval_prepare(call) == 1) {
		attempt_act(a, t);
	} else {
		attempt_finish(a, t);
	}
}

void
attempt_go_on(struct arena *a, struct attempt *t)
{
	if (secrets_ready(a, t))
		prepare(a, t);
}

static enum call_part
part_of(const struct arena *a, const struct attempt *t)
{
	if (attempt_is_element(t))
		return CALL_ELEMENT;
	if (attempt_plan(t)->for_each == 0)
		return CALL_NODE;
	return fan_block_of(a, t->local, t->node) != NULL ? CALL_ROOTS
							  : CALL_LIST;
}

static struct op_call *
call_create(const struct arena *a, struct attempt *t)
{
	const struct plan_node *p = attempt_plan(t);
	struct local *l = t->local;
	struct op_call *call = op_call_new();

	if (call == NULL)
		return NULL;
	call->scope = local_scope(l);
	call->node = t->node;
	call->attempt = attempt_record(t)->attempts;
	call->op = l->ops[p->op];
	call->timeout_ns = p->timeout_ns;
	call->tenant = l->tenant;
	call->priority = l->priority;
	call->started_ns = l->base_ns + attempt_record(t)->started_ns;
	call->run_ref = (uint64_t)(uintptr_t)t;
	call->part = part_of(a, t);
	if (attempt_is_element(t)) {
		fan_element(t->fan, t->element, call);
	} else {
		call->count_max = a->exec->settings.for_each_limit;
		call->list_bytes = a->exec->settings.compute.result_bytes;
	}
	return call;
}

/* Of a node with for_each, timeouts are those of its elements. */
static bool
arm_timeout(struct arena *a, struct attempt *t)
{
	const struct plan_node *p = attempt_plan(t);

	if (p->timeout_ns == 0 || (p->for_each != 0 && !attempt_is_element(t)))
		return true;
	return timer_arm(&a->timers, &t->timer,
		   t->local->base_ns + attempt_record(t)->completed_ns +
		       p->timeout_ns) == 0;
}

void
attempt_begin(struct arena *a, struct attempt *t)
{
	if (!attempt_is_element(t))
		live_run_attempt(a, t->local, t->node);
	t->timed_out = t->stopped = t->prepared = false;
	t->call = call_create(a, t);
	t->no_memory = t->call == NULL || !arm_timeout(a, t);
	if (!t->no_memory && t->call->op == NULL)
		op_call_fail(t->call, false, "unknown_op",
		    "This server does not know op \"%s\".",
		    plan_op_name(t->local->run.plan, attempt_plan(t)->op));
	else if (!t->no_memory && t->gives_up)
		op_call_fail(t->call, true, RETRY_INTERRUPTED,
		    "The node was interrupted: its server ended while it ran.");
	else if (!t->no_memory && t->no_pool)
		op_call_fail(t->call, false, "unknown_pool",
		    "The organization has no pool \"%s\".",
		    (const char *)plan_at(
			t->local->run.plan, attempt_plan(t)->pool));
	if (t->no_memory || t->no_pool || t->gives_up || t->call->op == NULL)
		attempt_finish(a, t);
	else
		attempt_go_on(a, t);
}

void
attempt_start(struct arena *a, struct local *l, uint32_t node, int64_t now)
{
	struct attempt *t = attempt_new(a, l, node);
	bool gives_up = record_gives_up(
	    &plan_nodes(l->run.plan)[node], &l->run.nodes[node]);

	if (t == NULL) {
		sched_start(&l->run, node, now);
		sched_end(
		    &l->run, node, NODE_FAILED, clock_mono_ns() - l->base_ns);
		return;
	}
	t->gives_up = gives_up;
	t->stage = ATTEMPT_PLACE;
	/* Of a node with for_each, its elements take places. */
	if (attempt_plan(t)->for_each != 0 || limits_take(a, t)) {
		sched_start(&l->run, node, now);
		attempt_begin(a, t);
	}
}

/* --- end --- */

/* What the attempt came to, in view of what we asked of it meanwhile. */
static struct op_outcome
judge(const struct attempt *t, char *text, size_t size)
{
	struct op_outcome o = {.state = OUTCOME_SUCCESS};
	char limit[32];

	if (t->no_memory)
		return (struct op_outcome){.state = OUTCOME_FAILED,
		    .retryable = true,
		    .error_code = "out_of_memory",
		    .error = "There is no memory for one more node."};
	if (t->call != NULL)
		o = t->call->outcome;
	if (o.state == OUTCOME_SUCCESS && t->call != NULL)
		return o;
	if (t->timed_out && o.state != OUTCOME_SKIPPED) {
		duration_format(
		    attempt_plan(t)->timeout_ns, limit, sizeof(limit));
		snprintf(text, size,
		    "The node took longer than its timeout of %s.", limit);
		o.state = OUTCOME_FAILED;
		o.retryable = true;
		o.error_code = "timeout";
		o.error = text;
		o.result = NULL;
	} else if (t->stopped) {
		o.state = OUTCOME_CANCELLED;
		o.result = NULL;
		o.error = NULL;
	}
	return o;
}

/* Whether it is tried again, where its retry is for such a failure. */
static bool
may_retry(const struct attempt *t, const struct op_outcome *o)
{
	const struct plan_node *p = attempt_plan(t);
	bool retryable = o->retryable;

	if (o->state != OUTCOME_FAILED)
		return false;
	if (p->retry_on != 0)
		retryable = plan_retry_on(t->local->run.plan, p, o->error_code);
	return attempt_is_element(t)
		   ? fanout_may_retry(
			 &t->fan->machine, p, t->element, retryable)
		   : sched_may_retry(&t->local->run, t->node, retryable);
}

/* To the next attempt, after a while. */
static void
try_again(
    struct arena *a, struct attempt *t, const struct op_outcome *o, int64_t now)
{
	struct local *l = t->local;
	int64_t due;

	if (!attempt_log_tried(a, t, o, now)) {
		attempt_park(a, t);
		return;
	}
	due = record_retry(
	    attempt_plan(t), attempt_record(t), now, random_next(a));
	if (t->call != NULL)
		op_call_free(t->call);
	t->call = NULL;
	t->stage = ATTEMPT_RETRY;
	if (attempt_is_element(t))
		element_wait(t);
	else
		live_run_attempt(a, l, t->node);
	t->timed_out = t->stopped = false;
	if (timer_arm(&a->timers, &t->timer, l->base_ns + due) != 0)
		attempt_due(a, t);
}

static void
chain_parked(struct arena *a, struct attempt *t)
{
	t->stage = ATTEMPT_PARKED;
	t->chain = a->parked;
	a->parked = t;
	atomic_store(&a->exec->global->starved, 1);
}

void
attempt_park(struct arena *a, struct attempt *t)
{
	timer_cancel(&a->timers, &t->timer);
	chain_parked(a, t);
}

void
attempt_park_start(struct arena *a, struct attempt *t)
{
	t->starting = true;
	chain_parked(a, t);
}

/* Decides what the attempt came to and puts its output into shared memory.
 * False: it is tried again, or waits for memory. */
static bool
keep(struct arena *a, struct attempt *t, int64_t now)
{
	char text[128];
	struct op_outcome o = judge(t, text, sizeof(text));

	limits_give(a, t);
	if (o.cpu_ns > 0)
		limits_spend(a, t->local, o.cpu_ns);
	if (t->call != NULL)
		secrets_redact(a, t->local, &t->call->mem, &o);
	if (may_retry(t, &o)) {
		try_again(a, t, &o, now);
		return false;
	}
	if (!output_put(a, t->local, &o, &t->ref)) {
		attempt_park(a, t);
		return false;
	}
	t->kept = true;
	t->state = attempt_ended_state(o.state);
	t->code = o.error_code;
	if (o.result != NULL && !attempt_is_element(t) &&
	    (attempt_plan(t)->flags & PLAN_NODE_LEAF) != 0)
		t->local->leaf_results = true;
	return true;
}

void
attempt_finish(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	int64_t now = clock_mono_ns() - l->base_ns;

	if (!t->kept && !keep(a, t, now))
		return;
	attempt_log_last(a, t);
	if (!attempt_is_element(t)) {
		l->run.nodes[t->node].output = t->ref;
		sched_end(&l->run, t->node, t->state, now);
	} else if (!element_end(a, t, t->state, t->ref, t->code, now)) {
		attempt_park(a, t);
		return;
	}
	attempt_free(a, t);
}

/* finish, from outside of the run's turn. */
static void
finish_and_settle(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;

	attempt_finish(a, t);
	arena_settle(a, l);
}

static void
unpark(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	bool list = t->call != NULL &&
		    (t->call->part == CALL_LIST || t->call->part == CALL_ROOTS);

	if (t->starting) {
		t->starting = false;
		attempt_act(a, t);
	} else if (list && t->call->outcome.state == OUTCOME_SUCCESS &&
		   (t->fan == NULL || !t->fan->ended)) {
		fan_begin(a, t);
	} else {
		attempt_finish(a, t);
	}
	arena_settle(a, l);
}

void
attempts_unpark(struct arena *a)
{
	struct attempt *t = a->parked;

	a->parked = NULL;
	while (t != NULL) {
		struct attempt *next = t->chain;

		unpark(a, t);
		t = next;
	}
}

/* --- timers, stops --- */

static void
ask_to_stop(struct arena *a, struct attempt *t)
{
	switch (t->stage) {
	case ATTEMPT_PREPARE:
	case ATTEMPT_COMPUTE:
		compute_stop(a->compute, t->call);
		break;
	case ATTEMPT_COMMAND:
		runner_client_stop(a->runner, t->call);
		break;
	case ATTEMPT_IO:
		attempt_io_stop(a, t->call);
		break;
	case ATTEMPT_SECRETS:
		cancel(a, t);
		break;
	case ATTEMPT_DELAY:
		attempt_finish(a, t);
		break;
	case ATTEMPT_FAN:
		fan_stop(t->local, t->fan);
		break;
	case ATTEMPT_ANNOUNCED: /* ends when the journal answers */
	case ATTEMPT_PLACE:
	case ATTEMPT_RETRY:
	case ATTEMPT_PARKED:
		break;
	}
}

void
attempt_due(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;

	if (t->stage == ATTEMPT_RETRY && attempt_is_element(t)) {
		element_due(t);
	} else if (t->stage == ATTEMPT_RETRY) {
		uint32_t node = t->node;

		attempt_free(a, t);
		sched_retry(&l->run, node);
	} else if (t->stage == ATTEMPT_DELAY && a->now_ns >= t->ends_ns) {
		finish_and_settle(a, t);
		return;
	} else {
		t->timed_out = true;
		ask_to_stop(a, t);
	}
	arena_settle(a, l);
}

void
attempts_stop(struct arena *a, struct local *l)
{
	struct attempt *t = l->attempts;

	while (t != NULL) {
		struct attempt *next = t->next;
		enum node_state s = node_state(attempt_record(t));

		if ((t->stage == ATTEMPT_RETRY && s != NODE_RETRY) ||
		    (t->stage == ATTEMPT_PLACE && s != NODE_PENDING)) {
			attempt_free(a, t);
		} else if (s == NODE_RUNNING && !t->stopped) {
			t->stopped = true;
			ask_to_stop(a, t);
		}
		t = next;
	}
}

void
attempts_retry(struct arena *a, struct local *l)
{
	for (uint32_t i = 0; i < l->run.node_count; i++) {
		struct attempt *t;

		if (node_state(&l->run.nodes[i]) != NODE_RETRY)
			continue;
		t = attempt_new(a, l, i);
		if (t == NULL) {
			sched_retry(&l->run, i);
			continue;
		}
		t->stage = ATTEMPT_RETRY;
		if (timer_arm(&a->timers, &t->timer,
			l->base_ns + l->run.nodes[i].completed_ns) != 0) {
			attempt_free(a, t);
			sched_retry(&l->run, i);
		}
	}
}

/* --- what comes back --- */

static void
hand_back(struct arena *a, struct op_call *call)
{
	struct op_call *head = atomic_load(&a->done);

	do {
		call->next = head;
	} while (!atomic_compare_exchange_weak(&a->done, &head, call));
}

/* On a compute thread. */
void
attempt_computed(void *arena, struct op_call *call, bool prepared)
{
	struct arena *a = arena;
	struct attempt *t = (void *)(uintptr_t)call->run_ref;

	t->prepared = prepared;
	hand_back(a, call);
	arena_wake(a->shared);
}

void
attempts_collect(struct arena *a)
{
	struct op_call *call = atomic_exchange(&a->done, NULL);
	struct op_call *oldest = NULL;

	while (call != NULL) { /* the stack has the newest on top */
		struct op_call *next = call->next;

		call->next = oldest;
		oldest = call;
		call = next;
	}
	while (oldest != NULL) {
		struct op_call *next = oldest->next;
		struct attempt *t = (void *)(uintptr_t)oldest->run_ref;

		if (attempt_io_rest(a, t)) {
			; /* it comes back once more */
		} else if (t->prepared && !t->timed_out && !t->stopped) {
			t->prepared = false;
			attempt_act(a, t);
			arena_settle(a, t->local);
		} else {
			if (t->prepared)
				oldest->outcome.state = OUTCOME_CANCELLED;
			finish_and_settle(a, t);
		}
		oldest = next;
	}
}

/* From the runner's client or a driver of io.h: on the arena's thread, maybe
 * from within their start: so it is only noted here. */
void
attempt_came_back(void *arena, struct op_call *call)
{
	struct arena *a = arena;

	a->outside--;
	hand_back(a, call);
}
