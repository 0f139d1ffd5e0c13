/* scheduler.h - the pure state machine of one run: which node may start when.
 *
 * In:       sched_begin/sched_rebuild, sched_start, sched_end, sched_retry_at,
 *           sched_retry, sched_stop, sched_pause/sched_resume, sched_release;
 *           times are arguments, in nanoseconds since the run's base.
 * Out:      pulled: sched_next (start this node, skip that one), sched_ended,
 *           sched_status. After sched_stop the caller asks its running nodes
 *           to stop.
 * Knows:    no clock, thread, memory or op. Tested by simulation.
 * Durable:  a run whose plan says DURABILITY_SYNC keeps the ends of its nodes
 *           to itself: what waits for them hears of them from sched_release,
 *           when they are committed. Else sched_end tells at once.
 * Memory:   the records (node_record, order, state) are the run's truth and
 *           lie in shared memory; wait and queue beside them, and the counters
 *           of struct run, are derived and made anew by sched_rebuild.
 * Threads:  one at a time; order[0..completed) and the records it names may
 *           be read by others meanwhile (completed with acquire).
 *
 * The functions that run once per node are inline: on them rests the cost of a
 * node that does nothing.
 */
#ifndef OPEN_EXEC_SCHEDULER_H
#define OPEN_EXEC_SCHEDULER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dag/plan.h"
#include "exec/exec.h"

enum node_state {
	NODE_PENDING,
	NODE_RUNNING,
	NODE_RETRY,   /* waits for its next attempt, due at completed_ns */
	NODE_SUCCESS, /* from here on: ended */
	NODE_FAILED,
	NODE_SKIPPED,
	NODE_CANCELLED
};

enum {
	NODE_STARTED = 1 << 0 /* started_ns is set: kept by later attempts */
};

struct node_record {
	_Atomic uint8_t state; /* enum node_state; stored last */
	uint8_t flags;
	uint16_t attempts;
	uint32_t output; /* see slot.h; 0: none */
	int64_t started_ns, completed_ns;
};

enum run_stop {
	RUN_GO,
	RUN_STOP_CANCEL,
	RUN_STOP_TIMEOUT
};

struct run_state {
	_Atomic uint32_t completed; /* entries of order */
	_Atomic uint32_t succeeded, failed;
	_Atomic uint32_t stop; /* enum run_stop */
};

struct run { /* a view: pointers into the run's memory and derived counters */
	const struct plan *plan;
	const uint32_t *successor_index, *successors;
	uint32_t node_count;
	uint32_t completed;
	uint32_t ready_head, ready_count;
	uint32_t succeeded, failed;
	uint32_t released; /* of order: told to those that wait */
	uint32_t paused;   /* UINT32_MAX: nothing starts; else 0 */
	bool held;	   /* sched_release tells, not sched_end */
	struct run_state *state;
	struct node_record *nodes;
	uint32_t *order; /* completed nodes, in the order of their ends */
	uint32_t *wait;	 /* AWAIT_* */
	uint32_t *queue; /* ring of node_count decided nodes */
};

/* A node's word of wait. */
#define AWAIT_COUNT	0x000fffffu /* dependencies that have not ended */
#define AWAIT_TRIGGER	0x00700000u /* enum trigger */
#define AWAIT_ANY	0x00200000u /* the bit that both any_ triggers have */
#define AWAIT_SUCCESS	0x00800000u /* a dependency ended so; the others follow */
#define AWAIT_FAILED	0x01000000u
#define AWAIT_SKIPPED	0x02000000u
#define AWAIT_CANCELLED 0x04000000u
#define AWAIT_DECIDED	0x08000000u /* went through the queue, or never will */
#define AWAIT_SKIP	0x10000000u /* decided: skip it */
#define AWAIT_PURE	0x20000000u /* ends the moment it starts */
#define AWAIT_BAD	(AWAIT_FAILED | AWAIT_SKIPPED | AWAIT_CANCELLED)

/* Bytes of records, order, wait and queue together, and their places in it. */
size_t run_memory_size(uint32_t node_count);
/* memory: run_memory_size bytes, 8-byte aligned, in which at least the records
 * (the first node_count * sizeof(struct node_record) bytes) are zero or those
 * of an earlier owner. */
void run_view(
    struct run *, const struct plan *, struct run_state *, void *memory);

/* A run that nothing happened in yet. */
void sched_begin(struct run *);
/* From the records: after a takeover, or where history was put into them.
 * Nodes that ran are pending again, the same attempt; nodes in NODE_RETRY stay
 * so, the caller arms their timers. durable: how many entries of the order are
 * committed, for runs that are held. */
void sched_rebuild(struct run *, uint32_t durable, int64_t now);
/* The first `durable` entries of the order are committed; no more than were
 * before, or in a run that is not held: nothing happens. */
void sched_release(struct run *, uint32_t durable);
/* Cancelled or out of time: nothing starts any more but nodes with trigger
 * all_done, these also if the run was paused. Nodes in NODE_RETRY may end by
 * it. */
void sched_stop(struct run *, enum run_stop why, int64_t now);
/* Until sched_resume or sched_stop nothing starts and nothing is skipped; what
 * runs may end, retries may become due. A run that stops is not paused. Not
 * part of the state: after sched_rebuild the caller says it again. */
void sched_pause(struct run *);
void sched_resume(struct run *);
/* A failure of a running node: true if it is tried again, at *due. random is
 * uniform over all its values. False: end it. */
bool sched_retry_at(struct run *, uint32_t node, bool retryable, int64_t now,
    uint32_t random, int64_t *due);
/* When the attempt after the given number of them starts. */
int64_t retry_due(
    const struct plan_node *, uint16_t attempts, int64_t now, uint32_t random);
/* A retry is due. */
void sched_retry(struct run *, uint32_t node);
/* Once sched_ended, or for a look at a run that goes on (RUN_RUNNING). */
enum run_status sched_status(const struct run *);
/* Makes succeeded and failed visible in the state; call before the end of the
 * run is announced. */
void sched_publish(struct run *);
/* A node whose word says that its trigger may be decided. */
void sched_settle(struct run *, uint32_t node);

static inline enum node_state
node_state(const struct node_record *n)
{
	return (enum node_state)atomic_load_explicit(
	    &n->state, memory_order_acquire);
}

static inline bool
sched_ended(const struct run *r)
{
	return r->completed == r->node_count;
}

static inline void
sched_push(struct run *r, uint32_t node)
{
	uint32_t at = r->ready_head + r->ready_count++;

	r->queue[at < r->node_count ? at : at - r->node_count] = node;
}

enum next_step {
	NEXT_NONE,  /* nothing to do before the next event */
	NEXT_START, /* sched_start or, for AWAIT_PURE, sched_pure */
	NEXT_SKIP   /* sched_end with NODE_SKIPPED */
};

/* Whether sched_next has anything. */
static inline bool
sched_ready(const struct run *r)
{
	return r->ready_count > r->paused;
}

static inline enum next_step
sched_next(struct run *r, uint32_t *node)
{
	while (sched_ready(r)) {
		uint32_t n = r->queue[r->ready_head];

		if (++r->ready_head == r->node_count)
			r->ready_head = 0;
		r->ready_count--;
		if (atomic_load_explicit(&r->nodes[n].state,
			memory_order_relaxed) != NODE_PENDING)
			continue;
		*node = n;
		return r->wait[n] & AWAIT_SKIP ? NEXT_SKIP : NEXT_START;
	}
	return NEXT_NONE;
}

/* Pending → running. */
static inline void
sched_start(struct run *r, uint32_t node, int64_t now)
{
	struct node_record *n = &r->nodes[node];

	if ((n->flags & NODE_STARTED) == 0) {
		n->started_ns = now;
		n->flags |= NODE_STARTED;
	}
	n->attempts++;
	atomic_store_explicit(&n->state, NODE_RUNNING, memory_order_release);
}

/* What the end of a node means to those that wait for it. */
static inline void
sched_tell(struct run *r, uint32_t node, enum node_state state)
{
	uint32_t bit = AWAIT_SUCCESS << (state - NODE_SUCCESS);
	const uint32_t *s = r->successors + r->successor_index[node];
	const uint32_t *end = r->successors + r->successor_index[node + 1];

	for (; s < end; s++) {
		uint32_t w = (r->wait[*s] - 1) | bit;

		r->wait[*s] = w;
		if ((w & (AWAIT_COUNT | AWAIT_TRIGGER | AWAIT_BAD |
			     AWAIT_DECIDED)) == 0) {
			r->wait[*s] = w | AWAIT_DECIDED;
			sched_push(r, *s);
		} else if ((w & AWAIT_COUNT) == 0 || (w & AWAIT_ANY) != 0) {
			sched_settle(r, *s);
		}
	}
}

/* Running (or pending, for skipped and cancelled) → ended. Its output is in
 * the record already. */
static inline void
sched_end(struct run *r, uint32_t node, enum node_state state, int64_t now)
{
	struct node_record *n = &r->nodes[node];

	if ((n->flags & NODE_STARTED) == 0) {
		n->started_ns = now;
		n->flags |= NODE_STARTED;
	}
	n->completed_ns = now;
	r->succeeded += state == NODE_SUCCESS;
	r->failed += state == NODE_FAILED;
	atomic_store_explicit(&n->state, state, memory_order_release);
	r->order[r->completed++] = node;
	atomic_store_explicit(
	    &r->state->completed, r->completed, memory_order_release);
	if (!r->held)
		sched_tell(r, node, state);
}

/* The whole life of a node that does nothing. */
static inline void
sched_pure(struct run *r, uint32_t node, int64_t started, int64_t now)
{
	r->nodes[node].attempts = 1;
	r->nodes[node].flags = NODE_STARTED;
	r->nodes[node].started_ns = started;
	sched_end(r, node, NODE_SUCCESS, now);
}

#endif
