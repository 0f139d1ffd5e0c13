/* live_view.h - a run as it is now, seen by a process that does not own it.
 *
 * The run may end, be freed and its memory be another's while it is read; so
 * everything is bounded by the region, copied, and counts only if the slot is
 * still the same run's afterwards.
 *
 * Memory:   texts are copied into a struct mem of the caller's.
 * Fails:    false: the run is not there (any more): the database has it, or it
 *           has not begun, or memory ran out.
 * Threads:  any thread of any process that has the region.
 */
#ifndef OPEN_EXEC_LIVE_VIEW_H
#define OPEN_EXEC_LIVE_VIEW_H

#include "base/mem.h"
#include "exec/live.h"

struct live_text {
	const char *text; /* NULL: none */
	size_t len;
};

struct live_run_view {
	struct uuid execution, organization;
	enum run_status status;
	bool begun; /* it has nodes to be seen */
	bool paused;
	bool keeps_history;		  /* not DURABILITY_MEMORY */
	int64_t started_us, completed_us; /* UTC; 0: not yet */
	uint32_t total, completed, succeeded, failed;
	int64_t cpu_us;
	struct live_text result, error; /* once it has ended */
};

enum live_node_status {
	LIVE_PENDING,
	LIVE_RUNNING,
	LIVE_SUCCESS,
	LIVE_FAILED,
	LIVE_SKIPPED,
	LIVE_CANCELLED
};

struct live_node_view {
	enum live_node_status status;
	unsigned attempts;		  /* 0: none yet */
	int64_t started_us, completed_us; /* UTC; 0: not yet */
	struct live_text name, result, error, log;
};

/* Of the execution, or, if it is zero, of whatever run the reference names. */
bool live_view_run(
    struct exec *, struct run_ref, struct mem *, struct live_run_view *);
/* texts: also name, result, error and log. */
bool live_view_node(struct exec *, struct run_ref, uint32_t node, bool texts,
    struct mem *, struct live_node_view *);
/* Nodes from `from` on whose state changed at since_us or later: up to max of
 * them, how many; *next: where to go on, 0: that were all. False as above. */
bool live_view_changed(struct exec *, struct run_ref, int64_t since_us,
    uint32_t from, uint32_t *nodes, size_t max, size_t *count, uint32_t *next);

/* "pending", "running", …; literals. */
const char *live_run_status_name(enum run_status);
const char *live_node_status_name(enum live_node_status);

#endif
