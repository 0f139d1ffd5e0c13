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
	NODE_RETRY,   /* waits for its next attempt */
	NODE_SUCCESS, /* from here on: ended */
	NODE_FAILED,
	NODE_SKIPPED,
	NODE_CANCELLED
};

enum {
	NODE_STARTED = 1 << 0, /* started_ns is set: kept by later attempts */
	NODE_AGAIN = 1 << 1,   /* pending: the attempt was cut off and starts
				  over, as the same one */
	NODE_GOES_ON = 1 << 2, /* … or goes on from its start */
	NODE_CUT_OFF = 1 << 3, /* … and nobody looked at it yet */
	NODE_TOLD = 1 << 4,    /* the log has the attempt's EVENT_STARTED */
	NODE_INTERRUPTED_SHIFT = 5 /* above: how often it was interrupted */
};
#define INTERRUPTED_MAX 7u

/* completed_ns of a node that runs is its attempt's start, of one in NODE_RETRY
 * when that is due. */
struct node_record {
	union {
		struct {
			_Atomic uint8_t state; /* enum node_state; stored last
						*/
			uint8_t flags;
			uint16_t attempts;
		};
		_Atomic uint32_t word; /* all three, changed at once */
	};
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
 * Nodes that ran are pending again, the same attempt, with NODE_AGAIN and
 * NODE_CUT_OFF; nodes in NODE_RETRY stay so, the caller arms their timers. durable: how many entries of the order are
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
/* Whether a running node that failed is tried again; if not, end it. retryable:
 * its retry is for this kind of failure. */
bool sched_may_retry(const struct run *, uint32_t node, bool retryable);
/* It is: when, the same for the same random, see record_retry. */
int64_t sched_retry_at(
    struct run *, uint32_t node, int64_t failed, uint32_t random);
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

static inline void
node_become(struct node_record *n, enum node_state state, unsigned flags,
    unsigned attempts)
{
	atomic_store_explicit(&n->word,
	    (uint32_t)state | (uint32_t)flags << 8 | (uint32_t)attempts << 16,
	    memory_order_release);
}

static inline unsigned
node_interruptions(const struct node_record *n)
{
	return n->flags >> NODE_INTERRUPTED_SHIFT;
}

/* The start of an attempt: a new one, the same again, or one that goes on. */
static inline void
record_start(struct node_record *n, int64_t now)
{
	unsigned flags = n->flags | NODE_STARTED;
	unsigned again = (flags & NODE_AGAIN) != 0;

	if ((n->flags & NODE_STARTED) == 0)
		n->started_ns = now;
	if ((flags & NODE_GOES_ON) == 0) {
		n->completed_ns = now;
		flags &= ~(unsigned)NODE_TOLD;
	}
	flags &= ~(unsigned)(NODE_AGAIN | NODE_GOES_ON | NODE_CUT_OFF);
	node_become(n, NODE_RUNNING, flags, n->attempts + 1u - again);
}

/* Its owner died while it ran. */
static inline void
record_cut_off(struct node_record *n)
{
	n->output = 0; /* of an end that was not recorded */
	node_become(
	    n, NODE_PENDING, n->flags | NODE_AGAIN | NODE_CUT_OFF, n->attempts);
}

static inline bool
record_is_cut_off(const struct node_record *n)
{
	return (n->flags & NODE_CUT_OFF) != 0 && node_state(n) == NODE_PENDING;
}

/* To the next attempt, some time after `failed`: when. random is uniform over
 * all its values. */
int64_t record_retry(const struct plan_node *, struct node_record *,
    int64_t failed, uint32_t random);

/* tries.c: attempts of nodes or elements that were cut off when their owner
 * died.
 *   memory is left:  record_recover, the rebuild, then for each that
 *                    record_is_cut_off: log it if record_logs_interruption
 *                    says so, then record_interrupted
 *   history is left: record_restore for each event, completions, and as above
 * last: of the log, NULL if that is empty. goes_on: struct op's. */
struct run_event;
/* last is of the record's node and element: a try that the record lacks? */
void record_recover(const struct plan_node *, struct node_record *,
    const struct run_event *last, uint32_t random);
/* place: node and element of the record. */
bool record_logs_interruption(const struct plan_node *,
    const struct node_record *, bool goes_on, const struct run_event *last,
    const struct run_event *place);
/* It will start over, go on, or fail: see record_gives_up. */
void record_interrupted(struct node_record *, bool goes_on);
/* A pending one fails where it would start: it must not start over, or was
 * interrupted INTERRUPTED_MAX times. */
bool record_gives_up(const struct plan_node *, const struct node_record *);
/* An event of the history, in its order, before what ended it. */
void record_restore(const struct plan_node *, struct node_record *,
    const struct run_event *, uint32_t random);

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
	record_start(&r->nodes[node], now);
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
