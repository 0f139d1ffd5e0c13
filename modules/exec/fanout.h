/* fanout.h - the pure state machine of one node that runs once per element of a
 * list: which element may start when, and what all of them come to.
 *
 * In:       fanout_create, fanout_restore, fanout_rebuild; fanout_start,
 *           fanout_end, fanout_may_retry, fanout_stop; times are arguments, in
 *           nanoseconds since the run's base.
 * Out:      pulled: fanout_next (start this element), fanout_ended,
 *           fanout_state. Once an element has failed for good or the node was
 *           stopped, nothing starts any more: the caller then ends the elements
 *           that wait for their next attempt, in NODE_RETRY, as cancelled.
 * Knows:    no clock, thread, memory or op. Tested by simulation.
 * Memory:   the records are the truth and lie in shared memory; the counters
 *           are derived and made anew by fanout_rebuild. An element's end is
 *           told to the log before its record, so a taker first restores what
 *           the log says.
 * Places:   an element has its place among the `concurrency` from its first
 *           start to its end, also between two attempts: a service that is
 *           down is not asked for all elements one after the other.
 */
#ifndef OPEN_EXEC_FANOUT_H
#define OPEN_EXEC_FANOUT_H

#include "exec/scheduler.h"

#define FANOUT_NONE UINT32_MAX

struct fanout {
	struct node_record *elements; /* NODE_SKIPPED never comes */
	uint32_t count, concurrency;
	uint32_t next;	 /* those before it were looked at */
	uint32_t active; /* have a place */
	uint32_t ended, succeeded;
	uint32_t failed; /* the first that did, FANOUT_NONE: none */
	bool stopped;
};

/* Records that nothing happened in yet (zeros), or any after fanout_restore and
 * before fanout_rebuild. concurrency: at least 1. */
void fanout_create(struct fanout *, struct node_record *elements,
    uint32_t count, uint32_t concurrency);
/* The log says that an element has ended so: its record is made to. */
void fanout_restore(
    struct fanout *, uint32_t element, const struct node_record *ended);
/* From the records. Elements that ran are pending again, the same attempt;
 * those in NODE_RETRY keep their places, the caller arms their timers. */
void fanout_rebuild(struct fanout *);

/* The next element that may start for the first time; false: none may now. */
bool fanout_next(struct fanout *, uint32_t *element);
/* Whether elements may start at all, also their next attempts. */
static inline bool
fanout_open(const struct fanout *f)
{
	return f->failed == FANOUT_NONE && !f->stopped;
}
/* One that fanout_next gave, or one in NODE_RETRY that is due. */
void fanout_start(struct fanout *, uint32_t element, int64_t now);
/* Running, or in NODE_RETRY → success, failed or cancelled. Its output is in
 * the record already. */
void fanout_end(
    struct fanout *, uint32_t element, enum node_state, int64_t now);
/* Whether a running element that failed is tried again (record_retry); if not,
 * end it. retryable: its retry is for this kind of failure. */
bool fanout_may_retry(const struct fanout *, const struct plan_node *,
    uint32_t element, bool retryable);
/* Cancelled: nothing starts any more. */
void fanout_stop(struct fanout *);

/* Nothing runs and nothing will. */
static inline bool
fanout_ended(const struct fanout *f)
{
	return f->ended == f->count || (!fanout_open(f) && f->active == 0);
}
/* Once fanout_ended: success, failed or cancelled. */
enum node_state fanout_state(const struct fanout *);

#endif
