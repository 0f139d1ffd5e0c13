/* event.c - a log in chunks that double. */
#include <assert.h>

#include "exec/arena.h"

static_assert(sizeof(struct run_event) == 32, "100,000 of them are common");

/* Which chunk event i is in, and its place there. */
static uint32_t
chunk_of(const struct event_log *log, uint32_t i, uint32_t *place)
{
	uint32_t n = (i - log->base) / EVENT_CHUNK + 1;
	uint32_t chunk = 31 - (uint32_t)__builtin_clz(n);

	*place = i - log->base - EVENT_CHUNK * ((1u << chunk) - 1);
	return chunk;
}

static struct run_event *
place_of(const struct shm *shm, const struct event_log *log, uint32_t i)
{
	uint32_t place;
	uint32_t chunk = chunk_of(log, i, &place);
	struct run_event *events =
	    shm_at(shm, (uint64_t)log->chunks[chunk] * 8);

	return &events[place];
}

const struct run_event *
event_at(const struct shm *shm, const struct event_log *log, uint32_t i)
{
	assert(i >= log->base && i < event_count(log));
	return place_of(shm, log, i);
}

/* The chunk may be there already: from an owner that died. */
static bool
chunk_create(
    struct arena *a, uint32_t slot, struct event_log *log, uint32_t chunk)
{
	size_t size = ((size_t)EVENT_CHUNK << chunk) * sizeof(struct run_event);
	uint64_t at = 0;

	if (chunk == EVENT_CHUNKS)
		return false;
	if (log->chunks[chunk] != 0)
		return true;
	while (at == 0 && arena_may_take(a, CLAIM_OUTPUT)) {
		at = slot_alloc(&a->exec->slots, slot, size);
		if (at == 0 && !plan_cache_evict(&a->exec->plans))
			break;
	}
	if (at == 0)
		return false;
	log->chunks[chunk] = (uint32_t)(at / 8);
	return true;
}

bool
event_append(struct arena *a, struct local *l, const struct run_event *event)
{
	struct event_log *log = &a->exec->slots.list[l->slot].events;
	uint32_t i = event_count(log);
	uint32_t place;

	if (event->element != ELEMENT_NONE)
		l->elements_of = event->node + 1;
	if (l->run.plan->durability == DURABILITY_MEMORY)
		return true;
	if (!chunk_create(a, l->slot, log, chunk_of(log, i, &place)))
		return false;
	*place_of(&a->exec->shm, log, i) = *event;
	atomic_store_explicit(&log->count, i + 1, memory_order_release);
	return true;
}
