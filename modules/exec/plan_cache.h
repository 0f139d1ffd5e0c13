/* plan_cache.h - compiled plans in shared memory, by hash.
 *
 * Counted:  a plan is in use while any run slot names its entry (struct slots:
 *           plans); nobody keeps a counter that a crash could falsify. Unused
 *           ones are evicted, least recently used first, when room is needed:
 *           for another plan, or because runs are short of memory.
 * Lock:     one robust process-shared mutex; whoever finds its owner dead
 *           frees a half-written entry.
 * Lifetime: a plan's bytes stay where they are until it is evicted.
 */
#ifndef OPEN_EXEC_PLAN_CACHE_H
#define OPEN_EXEC_PLAN_CACHE_H

#include <pthread.h>

#include "exec/slot.h"

enum plan_entry_state {
	PLAN_ENTRY_FREE,
	PLAN_ENTRY_FILLING,
	PLAN_ENTRY_READY
};

struct plan_entry {
	uint32_t state; /* enum plan_entry_state */
	uint32_t first_block, blocks;
	uint32_t generation; /* counts the plans that this entry held */
	uint64_t used_at;    /* tick of the last use */
	struct plan_hash hash;
};

struct plan_cache_shared {
	pthread_mutex_t lock;
	uint64_t tick;
};

struct plan_cache { /* private handle */
	struct shm *shm;
	const struct slots *slots;
	struct plan_cache_shared *shared;
	uint32_t count;
	size_t reserve; /* bytes that new plans leave free if they can */
	uint64_t *keys; /* first 8 bytes of each entry's hash; 0: none */
	struct plan_entry *entries;
	uint8_t *used; /* by entry; scratch, under the lock */
};

/* Once, before the fork: makes the mutex. */
int plan_cache_create(struct plan_cache *, struct err *e);
void plan_cache_destroy(struct plan_cache *);
unsigned plan_cache_count(struct plan_cache *);
bool plan_cache_find(struct plan_cache *, const struct plan_hash *);
int plan_cache_put(struct plan_cache *, const struct plan_hash *,
    const void *plan, size_t len, struct err *e);
/* 0, or -1 and e: "plan_too_large", it and a run of it can never be in this
 * region together. */
int plan_cache_fits(
    const struct plan_cache *, const struct plan *, struct err *e);
/* Evicts unused plans until so many bytes are free; false: there are none left
 * to evict. */
bool plan_cache_shrink(struct plan_cache *, size_t bytes_free);
/* Evicts one unused plan; false: there is none. */
bool plan_cache_evict(struct plan_cache *);
/* Makes slot i name the plan; false: it is not here. */
bool plan_cache_use(
    struct plan_cache *, const struct plan_hash *, uint32_t slot);
/* The plan that a slot names; the slot must name one. */
const struct plan *plan_cache_plan(
    const struct plan_cache *, uint32_t slot, uint32_t *entry);

#endif
