/* takeover.c - adopting what an arena left that died, or whose worker ended.
 *
 * The arena's lock is held by its thread for life, so whoever gets it with
 * "owner dead" is the one that takes over. A dead process's other threads may
 * run on for an instant: the taker waits GRACE_NS with the lock in hand.
 */
#include <errno.h>

#include "base/clock.h"
#include "exec/arena.h"

/* Memory may hold blocks that never got into the chain, and a torn bump
 * pointer. */
static void
distrust_memory(struct slot *slot)
{
	slot->sweep = true;
	slot->heap = slot->heap_end = 0;
}

static bool
take(struct arena *a, uint32_t i, struct slot_word *w, enum slot_state state)
{
	struct slot_word to = *w;

	to.arena = (uint8_t)a->index;
	to.epoch = a->epoch;
	to.state = state;
	if (!slot_move(&a->exec->slots, i, *w, to))
		return false;
	*w = to;
	return true;
}

static bool
adopt(struct arena *a, uint32_t i, struct slot_word w)
{
	struct slot *slot = &a->exec->slots.list[i];

	switch (w.state) {
	case SLOT_FREE:
	case SLOT_RESERVED: /* its epoch is over: see exec_next_orphan */
		return false;
	case SLOT_STARTING:
	case SLOT_FREEING:
		if (!take(a, i, &w, SLOT_FREEING))
			return false;
		slot->magic = SLOT_MAGIC;
		distrust_memory(slot);
		slot_release(&a->exec->slots, i, w);
		return true;
	case SLOT_QUEUED:
		if (!take(a, i, &w, SLOT_QUEUED))
			return false;
		atomic_fetch_add(&a->shared->load, 1);
		bits_add(a->inbox, i);
		return true;
	case SLOT_RUNNING:
		if (!take(a, i, &w, SLOT_RUNNING))
			return false;
		atomic_fetch_add(&a->shared->load, 1);
		distrust_memory(slot);
		local_open(a, i, w);
		return true;
	case SLOT_ENDED:
		if (!take(a, i, &w, SLOT_ENDED))
			return false;
		slot->sweep = true;
		journal_mark(a->exec, i, true);
		return true;
	}
	return false;
}

static bool
owned_by(const struct arena *a, const struct slot_word *w, unsigned from)
{
	if (w->arena != from || w->state == SLOT_FREE)
		return false;
	/* Our own index: only what an earlier life left. */
	if (from == a->index && w->epoch == a->epoch && w->state != SLOT_QUEUED)
		return false;
	return true;
}

uint32_t
takeover(struct arena *a, unsigned from)
{
	struct exec *e = a->exec;
	uint32_t count = 0;

	limits_adopt(a, from);
	for (uint32_t i = 0; i < e->slots.count; i++) {
		struct slot_word w = slot_word(&e->slots, i);

		if (owned_by(a, &w, from))
			count += adopt(a, i, w);
		else if (w.state == SLOT_QUEUED)
			/* Maybe the dead one queued it and could not tell. */
			arena_look(e, w.arena, i);
	}
	if (count > 0) {
		shm_count(&e->shm);
		slot_count_tenants(&e->slots, e->tenants.count);
		atomic_fetch_add(&e->global->takeovers, 1);
	}
	arena_memory_freed(e);
	/* Let the event loop look for orphans, too. */
	journal_mark(e, SHM_NONE, false);
	return count;
}

static bool
left_anything(const struct exec *e, unsigned from)
{
	for (uint32_t i = 0; i < e->slots.count; i++) {
		struct slot_word w = slot_word(&e->slots, i);

		if (w.arena == from && w.state >= SLOT_QUEUED)
			return true;
	}
	return false;
}

static void
check_one(struct arena *a, unsigned other)
{
	struct arena_shared *s = &a->exec->arenas[other];
	struct held *h = &a->held[other];
	int rc;

	if (h->held) {
		if (a->now_ns < h->until_ns)
			return;
		/* Only now: what it reserved is nobody's from here on. */
		atomic_fetch_add(&s->epoch, 1);
		takeover(a, other);
		h->held = false;
		pthread_mutex_unlock(&s->lock);
		return;
	}
	rc = pthread_mutex_trylock(&s->lock);
	if (rc == EOWNERDEAD) {
		pthread_mutex_consistent(&s->lock);
		atomic_store(&s->alive, 0);
		h->held = true;
		h->until_ns = a->now_ns + GRACE_NS;
		if (a->check_at > h->until_ns)
			a->check_at = h->until_ns;
	} else if (rc == 0) {
		if (left_anything(a->exec, other))
			takeover(a, other);
		pthread_mutex_unlock(&s->lock);
	}
}

void
takeover_check(struct arena *a)
{
	for (unsigned i = 0; i < a->exec->settings.arenas; i++)
		if (i != a->index)
			check_one(a, i);
}

void
takeover_let_go(struct arena *a)
{
	for (unsigned i = 0; i < a->exec->settings.arenas; i++) {
		if (!a->held[i].held)
			continue;
		a->held[i].held = false;
		atomic_fetch_add(&a->exec->arenas[i].epoch, 1);
		pthread_mutex_unlock(&a->exec->arenas[i].lock);
	}
}
