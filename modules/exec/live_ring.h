/* live_ring.h - inside exec: how an arena publishes; see live.h.
 *
 * Threads:  live_run_* by whoever holds the arena's `awake`.
 */
#ifndef OPEN_EXEC_LIVE_RING_H
#define OPEN_EXEC_LIVE_RING_H

#include "exec/live.h"

struct arena;
struct local;
struct exec;

#define LIVE_WORDS (sizeof(struct live_event) / sizeof(uint64_t))

struct live_ring {
	_Alignas(64) _Atomic uint64_t claimed; /* events begun, */
	_Atomic uint64_t count;		       /* … and whole */
	_Alignas(64) _Atomic uint64_t words[LIVE_RING][LIVE_WORDS];
};

#define LIVE_INTEREST 65536u

struct live_shared {
	_Atomic uint64_t interest[LIVE_INTEREST]; /* bit: worker */
	struct {
		_Alignas(64) _Atomic uint32_t asleep;
		int fd; /* made before the fork */
	} workers[LIVE_WORKERS];
	struct live_ring rings[];
};

struct live { /* private handle */
	struct live_shared *shared;
	size_t size;
	unsigned rings;
	uint32_t *watching;	/* by word: how often; this worker's */
	uint64_t *read;		/* by ring: how many were read */
	unsigned worker, start; /* the ring to read first */
};

int live_create(struct live *, unsigned arenas, struct err *e);
void live_destroy(struct live *);
/* This process is worker 0..; forgets what the number's last owner watched. */
void live_attach(struct live *, unsigned worker);

void live_publish(struct live *, unsigned ring, struct live_event *);
/* Tells the workers of an interest word. */
void live_wake(struct live *, uint64_t workers);
_Atomic uint64_t *live_interest(struct live *, const struct uuid *execution);

/* The run is open: what is watched of it from now on. */
void live_run_open(struct arena *, struct local *);
/* Nodes that ended since the last time; both are cheap where nobody asks. */
void live_run_nodes(struct arena *, struct local *, uint32_t from);
/* A node's attempt begins, or is to be followed by another. */
void live_run_attempt(struct arena *, struct local *, uint32_t node);
void live_run_elements(struct arena *, struct local *, uint32_t node);
/* Its state, or what is asked of it, changed. */
void live_run_changed(struct arena *, const struct local *);

#endif
