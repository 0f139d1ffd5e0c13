/* fair.h - a queue that is fair between organizations.
 *
 * Order:    one item of each organization in turn; within one the highest
 *           priority first, equals in the order they came. Every FAIR_AGED-th
 *           turn of an organization goes to its oldest item whatever its
 *           priority: so of n items before it none waits longer than
 *           FAIR_AGED * n turns.
 * Owner:    items are embedded in what waits and only linked here.
 * Cost:     push, pop and remove take constant time (a pop of the oldest looks
 *           at one item a priority in use) and allocate nothing.
 * Threads:  none of its own; whoever owns the queue locks.
 */
#ifndef OPEN_EXEC_FAIR_H
#define OPEN_EXEC_FAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "dag/document.h"

#define FAIR_LEVELS (PRIORITY_MAX - PRIORITY_MIN + 1)
#define FAIR_WORDS  ((FAIR_LEVELS + 63) / 64)
#define FAIR_AGED   16

struct fair_item {
	struct fair_item *next, *prev;
	uint64_t age; /* counts pushes */
	uint32_t tenant;
	uint8_t level; /* 0: the highest priority */
	bool queued;
};

struct fair_line {
	struct fair_item *first, *last;
};

struct fair_tenant {
	uint32_t next, prev; /* in the circle of those with items; + 1 */
	uint32_t count;
	uint32_t picks;
	uint64_t used[FAIR_WORDS]; /* levels that hold items */
	struct fair_line lines[FAIR_LEVELS];
};

struct fair {
	struct fair_tenant *tenants; /* zeroed memory, touched where used */
	uint32_t tenant_count;
	uint32_t turn; /* whose turn it is, + 1; 0: the queue is empty */
	uint32_t count;
	uint64_t pushes;
};

/* For tenants 0..tenant_count-1. -1: out of memory. */
int fair_create(struct fair *, uint32_t tenant_count);
void fair_free(struct fair *);
/* priority: PRIORITY_MIN..PRIORITY_MAX; beyond: cut. An item that is queued
 * stays where it is. A tenant that does not exist counts as tenant 0. */
void fair_push(
    struct fair *, struct fair_item *, uint32_t tenant, int priority);
/* NULL: it is empty. */
struct fair_item *fair_pop(struct fair *);
/* The next of one tenant, out of turn. */
struct fair_item *fair_pop_of(struct fair *, uint32_t tenant);
/* Its best item's priority; only where it has items. */
int fair_best_of(const struct fair *, uint32_t tenant);
/* Nothing happens to an item that is not queued. */
void fair_remove(struct fair *, struct fair_item *);

static inline bool
fair_any_of(const struct fair *f, uint32_t tenant)
{
	return f->tenants[tenant].count > 0;
}

#endif
