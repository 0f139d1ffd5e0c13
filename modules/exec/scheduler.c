/* scheduler.c - the parts of the state machine that do not run once per node:
 * begin, rebuild, triggers, retry, stop. */
#include <math.h>
#include <string.h>

#include "exec/scheduler.h"

static size_t
records_size(uint32_t node_count)
{
	return node_count * sizeof(struct node_record);
}

size_t
run_memory_size(uint32_t node_count)
{
	return records_size(node_count) +
	       3 * sizeof(uint32_t) * (size_t)node_count;
}

void
run_view(struct run *r, const struct plan *plan, struct run_state *state,
    void *memory)
{
	memset(r, 0, sizeof(*r));
	r->plan = plan;
	r->successor_index = plan_at(plan, plan->successor_index);
	r->successors = plan_at(plan, plan->successors);
	r->node_count = plan->node_count;
	r->held = plan->durability == DURABILITY_SYNC;
	r->state = state;
	r->nodes = memory;
	r->order = (uint32_t *)(void *)(r->nodes + r->node_count);
	r->wait = r->order + r->node_count;
	r->queue = r->wait + r->node_count;
}

static void
wait_create(struct run *r)
{
	const struct plan_node *nodes = plan_nodes(r->plan);

	for (uint32_t i = 0; i < r->node_count; i++) {
		const struct plan_node *n = &nodes[i];

		r->wait[i] = n->indegree | (uint32_t)n->trigger << 20 |
			     (n->flags & PLAN_NODE_PURE ? AWAIT_PURE : 0);
	}
}

static void
settle_roots(struct run *r)
{
	const uint32_t *roots = plan_at(r->plan, r->plan->roots);

	for (uint32_t i = 0; i < r->plan->root_count; i++)
		sched_settle(r, roots[i]);
}

void
sched_begin(struct run *r)
{
	r->completed = r->succeeded = r->failed = 0;
	r->ready_head = r->ready_count = r->released = 0;
	wait_create(r);
	settle_roots(r);
}

enum verdict {
	VERDICT_WAIT,
	VERDICT_START,
	VERDICT_SKIP
};

/* What a node's trigger says to what is known of its dependencies. */
static enum verdict
verdict(uint32_t w)
{
	enum verdict otherwise = w & AWAIT_COUNT ? VERDICT_WAIT : VERDICT_SKIP;

	switch ((enum trigger)((w & AWAIT_TRIGGER) >> 20)) {
	case TRIGGER_ANY_SUCCESS:
		return w & AWAIT_SUCCESS ? VERDICT_START : otherwise;
	case TRIGGER_ANY_FAILED:
		return w & AWAIT_FAILED ? VERDICT_START : otherwise;
	case TRIGGER_ALL_DONE:
		return w & AWAIT_COUNT ? VERDICT_WAIT : VERDICT_START;
	case TRIGGER_NONE_FAILED:
		if (w & AWAIT_COUNT)
			return VERDICT_WAIT;
		return w & AWAIT_FAILED ? VERDICT_SKIP : VERDICT_START;
	case TRIGGER_ALL_SUCCESS:
		if (w & AWAIT_COUNT)
			return VERDICT_WAIT;
		return w & AWAIT_BAD ? VERDICT_SKIP : VERDICT_START;
	}
	return VERDICT_SKIP;
}

static bool
is_cleanup(uint32_t w)
{
	return (w & AWAIT_TRIGGER) >> 20 == TRIGGER_ALL_DONE;
}

static bool
stopping(const struct run *r)
{
	return atomic_load_explicit(&r->state->stop, memory_order_relaxed) !=
	       RUN_GO;
}

void
sched_settle(struct run *r, uint32_t node)
{
	uint32_t w = r->wait[node];
	enum verdict v;

	if (w & AWAIT_DECIDED)
		return;
	/* Where the run stops, the sweep of sched_stop ends this node. */
	if (stopping(r) && !is_cleanup(w))
		return;
	v = verdict(w);
	if (v == VERDICT_WAIT)
		return;
	r->wait[node] =
	    w | AWAIT_DECIDED | (v == VERDICT_SKIP ? AWAIT_SKIP : 0);
	sched_push(r, node);
}

/* Ends every node that has not started and is no cleanup. */
static void
sweep(struct run *r, int64_t now)
{
	for (uint32_t i = 0; i < r->node_count; i++) {
		enum node_state s = node_state(&r->nodes[i]);

		if (is_cleanup(r->wait[i]) ||
		    (s != NODE_PENDING && s != NODE_RETRY))
			continue;
		r->wait[i] |= AWAIT_DECIDED;
		sched_end(r, i, NODE_CANCELLED, now);
	}
}

void
sched_stop(struct run *r, enum run_stop why, int64_t now)
{
	if (stopping(r) || sched_ended(r))
		return;
	atomic_store_explicit(&r->state->stop, why, memory_order_release);
	r->paused = 0;
	sweep(r, now);
}

void
sched_pause(struct run *r)
{
	if (!stopping(r))
		r->paused = UINT32_MAX;
}

void
sched_resume(struct run *r)
{
	r->paused = 0;
}

/* Of a crash between a node's end and its entry in the order at most one node
 * is left over, since one thread writes both. */
static void
order_complete(struct run *r)
{
	for (uint32_t i = 0; i < r->completed; i++)
		r->wait[r->order[i]] |= AWAIT_DECIDED;
	for (uint32_t i = 0; i < r->node_count; i++) {
		struct node_record *n = &r->nodes[i];
		enum node_state s = node_state(n);

		if (s >= NODE_SUCCESS && (r->wait[i] & AWAIT_DECIDED) == 0) {
			r->wait[i] |= AWAIT_DECIDED;
			r->order[r->completed++] = i;
		}
		if (s == NODE_RUNNING)
			record_cut_off(n);
		r->succeeded += s == NODE_SUCCESS;
		r->failed += s == NODE_FAILED;
	}
	atomic_store_explicit(
	    &r->state->completed, r->completed, memory_order_release);
}

static void
tell_ended(struct run *r)
{
	for (uint32_t i = 0; i < r->node_count; i++) {
		enum node_state s = node_state(&r->nodes[i]);

		if (s >= NODE_SUCCESS)
			sched_tell(r, i, s);
	}
}

void
sched_release(struct run *r, uint32_t durable)
{
	if (!r->held)
		return;
	for (; r->released < durable; r->released++) {
		uint32_t node = r->order[r->released];

		sched_tell(r, node, node_state(&r->nodes[node]));
	}
}

void
sched_rebuild(struct run *r, uint32_t durable, int64_t now)
{
	r->completed =
	    atomic_load_explicit(&r->state->completed, memory_order_acquire);
	r->succeeded = r->failed = 0;
	r->ready_head = r->ready_count = r->released = 0;
	wait_create(r);
	order_complete(r);
	for (uint32_t i = 0; i < r->node_count; i++)
		if (node_state(&r->nodes[i]) == NODE_RETRY)
			r->wait[i] |= AWAIT_DECIDED;
	if (r->held)
		sched_release(r, durable);
	else
		tell_ended(r);
	settle_roots(r);
	if (stopping(r))
		sweep(r, now);
}

bool
sched_may_retry(const struct run *r, uint32_t node, bool retryable)
{
	return retryable &&
	       r->nodes[node].attempts <=
		   plan_nodes(r->plan)[node].retry_limit &&
	       (!stopping(r) || is_cleanup(r->wait[node]));
}

/* Nanoseconds from the end of an attempt to the start of the next. */
static int64_t
backoff(const struct plan_node *p, uint32_t attempts, uint32_t random)
{
	double wait = (double)p->retry_backoff_ns *
		      pow((double)p->retry_factor, (double)attempts - 1);

	if (p->retry_max_ns > 0 && !(wait <= (double)p->retry_max_ns))
		wait = (double)p->retry_max_ns;
	/* Jitter spreads the wait evenly over ±jitter of it. */
	wait *=
	    1 + (double)p->retry_jitter * ((double)random / UINT32_MAX * 2 - 1);
	if (!(wait >= 0))
		wait = 0;
	return wait > 1e17 ? (int64_t)1e17 : (int64_t)wait;
}

int64_t
record_retry(const struct plan_node *p, struct node_record *n, int64_t failed,
    uint32_t random)
{
	int64_t due = failed + backoff(p, n->attempts, random);

	n->completed_ns = due;
	node_become(n, NODE_RETRY, NODE_STARTED, n->attempts);
	return due;
}

int64_t
sched_retry_at(struct run *r, uint32_t node, int64_t failed, uint32_t random)
{
	return record_retry(
	    &plan_nodes(r->plan)[node], &r->nodes[node], failed, random);
}

void
sched_retry(struct run *r, uint32_t node)
{
	struct node_record *n = &r->nodes[node];

	if (node_state(n) != NODE_RETRY)
		return;
	atomic_store_explicit(&n->state, NODE_PENDING, memory_order_release);
	r->wait[node] |= AWAIT_DECIDED;
	sched_push(r, node);
}

enum run_status
sched_status(const struct run *r)
{
	uint32_t stop =
	    atomic_load_explicit(&r->state->stop, memory_order_relaxed);

	if (!sched_ended(r))
		return RUN_RUNNING;
	if (r->failed > 0 || stop == RUN_STOP_TIMEOUT)
		return RUN_FAILED;
	return stop == RUN_STOP_CANCEL ? RUN_CANCELLED : RUN_SUCCESS;
}

void
sched_publish(struct run *r)
{
	atomic_store_explicit(
	    &r->state->succeeded, r->succeeded, memory_order_relaxed);
	atomic_store_explicit(
	    &r->state->failed, r->failed, memory_order_relaxed);
}
