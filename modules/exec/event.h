/* event.h - what happened in a run besides the ends of its nodes, in one log:
 * attempts that failed, nodes seen running, elements of fan-outs.
 *
 * Owner:    the arena that owns the run appends; the event loop of its worker
 *           reads what it offers to the journal.
 * Memory:   the run's, in chunks that double; the slot holds their places, so
 *           event i is found at once. Nothing of it ever moves or changes.
 * Crash:    an event is complete before it is counted, so whoever takes over
 *           sees a prefix of what was appended.
 * Written:  as rows of open.node_history, like completions, and never later
 *           than a completion that came after it. Times count from the run's
 *           base, in nanoseconds.
 */
#ifndef OPEN_EXEC_EVENT_H
#define OPEN_EXEC_EVENT_H

#include "exec/exec.h"

struct arena;
struct local;
struct shm;

struct run_event {
	uint32_t node;
	uint32_t element; /* of a fan-out; ELEMENT_NONE: the node itself */
	uint32_t output;  /* as a node's, see slot_output; 0: none */
	uint16_t attempt; /* from 1 */
	uint8_t kind;	  /* enum event_kind */
	uint8_t reserved;
	int64_t started_ns;
	int64_t completed_ns; /* EVENT_STARTED: when it was told */
};

#define EVENT_CHUNK  16u /* events of the first chunk */
#define EVENT_CHUNKS 24u /* each twice as long as the one before */

struct event_log {		       /* in a run's slot */
	_Atomic uint32_t count;	       /* of the whole history */
	uint32_t base;		       /* those that are only in the database */
	uint32_t chunks[EVENT_CHUNKS]; /* offsets / 8; 0: none yet */
};

/* On the arena's thread. True: appended, and the journal will hear of it within
 * flush_ns; or the run keeps no history (DURABILITY_MEMORY), and nothing is
 * kept. False: shared memory is full, nothing happened. */
bool event_append(struct arena *, struct local *, const struct run_event *);
/* Event i of base..count-1. */
const struct run_event *event_at(
    const struct shm *, const struct event_log *, uint32_t i);

static inline uint32_t
event_count(const struct event_log *log)
{
	return atomic_load_explicit(&log->count, memory_order_acquire);
}

#endif
