/* gate.h - how many of something an organization may have at once, over all
 * arenas of a server: the pure part.
 *
 *   gate_take ──yes──► held ──► gate_drop ──► gate_grant … (to who waits)
 *        └──no──► wanted ──► granted ──► gate_collect ──► held
 *
 * Counts:   each arena has a cell in each gate. Only it writes what it holds;
 *           what it is granted by others is counted apart until it collects.
 *           So each change is one store, and a dead arena's cell is cleared
 *           by its taker: no slot leaks, whatever the moment.
 * Order:    who waits is known to his arena (a fair queue); the gate knows of
 *           each arena how urgent its most urgent one is. A free place goes to
 *           the most urgent arena, among equals to the next in turn. Nobody
 *           takes a place while another arena waits for one.
 * Lock:     the caller's, around every function but gate_hold and gate_free,
 *           which are the cell's arena's own.
 */
#ifndef OPEN_EXEC_GATE_H
#define OPEN_EXEC_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GATE_OPEN UINT32_MAX	   /* no limit */
#define GATE_GONE (UINT32_MAX - 1) /* a pool that is no more */
#define GATE_NONE UINT32_MAX	   /* no arena, no gate */

struct gate {
	_Atomic uint32_t limit;
	uint32_t turn; /* the arena after the last one that was granted a place
			*/
};

struct gate_cell {
	_Atomic uint32_t held, granted;
	uint32_t want; /* 0: nobody waits; else 1 + urgency */
};

struct gates { /* private handle */
	struct gate *list;
	struct gate_cell *cells; /* of an arena together */
	uint32_t count, arenas;
};

static inline struct gate_cell *
gate_cell(const struct gates *g, uint32_t gate, uint32_t arena)
{
	return &g->cells[(uint64_t)arena * g->count + gate];
}
static inline uint32_t
gate_limit(const struct gates *g, uint32_t gate)
{
	return atomic_load_explicit(&g->list[gate].limit, memory_order_relaxed);
}
/* One more is held, whatever the limit. */
static inline void
gate_hold(const struct gates *g, uint32_t gate, uint32_t arena)
{
	struct gate_cell *c = gate_cell(g, gate, arena);
	uint32_t n = atomic_load_explicit(&c->held, memory_order_relaxed);

	atomic_store_explicit(&c->held, n + 1, memory_order_relaxed);
}
/* One less; gate_grant is to follow where there is a limit. */
static inline void
gate_free(const struct gates *g, uint32_t gate, uint32_t arena)
{
	struct gate_cell *c = gate_cell(g, gate, arena);
	uint32_t n = atomic_load_explicit(&c->held, memory_order_relaxed);

	atomic_store_explicit(
	    &c->held, n > 0 ? n - 1 : 0, memory_order_relaxed);
}

/* Held and granted, by all arenas. */
uint32_t gate_used(const struct gates *, uint32_t gate);
/* True: held. False: the arena has to wait, gate_want says how urgently. */
bool gate_take(const struct gates *, uint32_t gate, uint32_t arena);
/* urgency: more is sooner; 0: the arena waits no more. */
void gate_want(
    const struct gates *, uint32_t gate, uint32_t arena, uint32_t urgency);
/* Grants one free place to an arena that waits, which is told by the caller;
 * GATE_NONE: there is none, or nobody waits. To be called until then. */
uint32_t gate_grant(const struct gates *, uint32_t gate);
/* What the arena was granted; now it holds it. */
uint32_t gate_collect(const struct gates *, uint32_t gate, uint32_t arena);
/* The arena is dead: it holds and wants nothing. gate_grant is to follow. */
void gate_clear(const struct gates *, uint32_t gate, uint32_t arena);

#endif
