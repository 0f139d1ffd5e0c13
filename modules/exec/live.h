/* live.h - what happens in runs, told at once to the workers that ask for it.
 *
 * Interest: live_watch sets this worker's bit in one of 65,536 words, chosen by
 *           the execution's id; no table that fills up, nothing to lock. An
 *           arena reads the word of a run once a turn (nobody listens: that is
 *           all). Executions that share a word are told of too: whoever reads
 *           looks at the id.
 * Rings:    one per arena in shared memory, the last LIVE_RING events; only the
 *           arena's thread writes. A reader that is late is told that it missed
 *           some, and looks at the runs themselves (live_view.h).
 * When:     events are published when an arena has done it, before the journal
 *           has written it (≤ 100 ms later). Not durable: after a crash of the
 *           whole server a node may be told of again.
 * Crash:    an event counts when it is whole; an arena's next owner writes
 *           where the dead one stopped. A worker that starts forgets what its
 *           number's last owner watched.
 * Process:  made before the fork; live_watch to live_read: the event loop of an
 *           attached worker.
 */
#ifndef OPEN_EXEC_LIVE_H
#define OPEN_EXEC_LIVE_H

#include "exec/exec.h"

#define LIVE_RING    4096u	/* events an arena keeps */
#define LIVE_WORKERS 64u	/* that can watch */
#define LIVE_RUN     UINT32_MAX /* of the execution itself, no node */

enum live_kind {
	LIVE_EXECUTION, /* began, paused, goes on, stops, ended */
	LIVE_NODE,	/* began, was tried, ended */
	LIVE_ELEMENTS	/* something of a fan-out's elements, coalesced */
};

struct live_event {
	uint64_t sequence; /* of its arena, from 1 */
	struct uuid execution, organization;
	struct run_ref run; /* where it lay */
	uint32_t node;	    /* or LIVE_RUN */
	uint8_t kind;	    /* enum live_kind */
	uint8_t state;	    /* enum run_status, of a node enum node_state */
	uint16_t attempt;   /* of a node */
	int64_t time_us;    /* UTC */
};

/* Readable when there may be something to read; the caller reads it. */
int live_fd(struct exec *);
/* Events of the execution from now on, until as many live_unwatch. What
 * happened before the return is in the run already. */
void live_watch(struct exec *, const struct uuid *execution);
void live_unwatch(struct exec *, const struct uuid *execution);
bool live_watched(struct exec *, const struct uuid *execution); /* by us */
/* The next events, at most max. *missed: some were overwritten before they were
 * read, of whatever execution. Fewer than max: live_fd tells of the next. */
size_t live_read(
    struct exec *, struct live_event *events, size_t max, bool *missed);

#endif
