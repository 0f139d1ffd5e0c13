/* assist.c - what the event loop does for an arena that sleeps.
 *
 * A run that is held goes on when the loop learns of a commit, and soon needs
 * the loop again. Waking the arena's thread for a few nodes that do nothing,
 * and being woken by it, would cost more than a third of the commit itself. So
 * where the arena sleeps, the loop takes its place for these nodes.
 */
#include "base/clock.h"
#include "exec/arena.h"

/* The loop has others to serve. */
#define ASSIST_NODES 256
#define ASSIST_EDGES 4096

/* Takes the next node if it does nothing. */
static enum next_step
next_pure(struct run *r, uint32_t *node)
{
	if (!sched_ready(r) ||
	    (r->wait[r->queue[r->ready_head]] & AWAIT_PURE) == 0 ||
	    node_state(&r->nodes[r->queue[r->ready_head]]) != NODE_PENDING)
		return NEXT_NONE;
	return sched_next(r, node);
}

static void
turn_pure(struct arena *a, struct local *l)
{
	struct run *r = &l->run;
	int64_t now = clock_mono_ns() - l->base_ns;
	uint32_t node;

	for (unsigned i = 0; i < ASSIST_NODES; i++) {
		enum next_step step = next_pure(r, &node);
		int64_t started = now;

		if (step == NEXT_NONE)
			break;
		if (step == NEXT_SKIP) {
			sched_end(r, node, NODE_SKIPPED, now);
			continue;
		}
		now = clock_mono_ns() - l->base_ns;
		sched_pure(r, node, started, now);
	}
	a->now_ns = now + l->base_ns;
}

/* How much it is to tell: entries of the order and their successors. */
static bool
is_little(const struct run *r, uint32_t durable)
{
	uint32_t edges = 0;

	if (durable - r->released > ASSIST_NODES)
		return false;
	for (uint32_t k = r->released; k < durable; k++) {
		uint32_t node = r->order[k];

		edges +=
		    r->successor_index[node + 1] - r->successor_index[node];
		if (edges > ASSIST_EDGES)
			return false;
	}
	return true;
}

static bool
is_ours(const struct arena *a, const struct local *l)
{
	struct slot_word w = slot_word(&a->exec->slots, l->slot);

	return l->open && !l->parked && !l->leaf_results &&
	       w.state == SLOT_RUNNING && w.arena == a->index &&
	       w.epoch == a->epoch && w.generation == l->word.generation;
}

/* False: it is the arena's to do. */
static bool
assist(struct arena *a, struct local *l, uint32_t durable)
{
	if (!is_ours(a, l) || !is_little(&l->run, durable))
		return false;
	sched_release(&l->run, durable);
	turn_pure(a, l);
	arena_settle(a, l);
	return a->active.count == 0;
}

void
arena_released(struct exec *e, uint32_t slot)
{
	struct arena *a = e->arena;
	bool done = false;

	if (pthread_mutex_trylock(&a->awake) == 0) {
		a->quiet = true;
		done = assist(a, &a->locals[slot],
		    slot_flushed(&e->slots.list[slot]).completed);
		a->quiet = false;
		pthread_mutex_unlock(&a->awake);
	}
	if (!done)
		arena_look(e, a->index, slot);
}
