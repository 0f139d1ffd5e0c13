/* control.c - what people ask of a run: cancel, pause, resume.
 *
 * Each is a word of the slot that holds the generation of the run it is meant
 * for: if the slot is another run's by now, nothing happens to that one. The
 * run's arena looks at the words when it begins the run, takes it over, or finds
 * it in its inbox.
 */
#include "exec/arena.h"

/* A word of the slot was changed. Whoever moves the slot meanwhile looks at it
 * when he begins. */
static void
look_again(struct exec *e, uint32_t i)
{
	struct slot_word w = slot_word(&e->slots, i);

	if (w.state == SLOT_QUEUED || w.state == SLOT_RUNNING)
		arena_look(e, w.arena, i);
}

/* The slot of an execution that has not ended, or SHM_NONE. */
static uint32_t
find_unfinished(
    struct exec *e, const struct uuid *execution, struct slot_word *w)
{
	uint32_t i = slot_find(&e->slots, execution, w);

	return i == SHM_NONE || w->state >= SLOT_ENDED ? SHM_NONE : i;
}

bool
exec_cancel(struct exec *e, const struct uuid *execution)
{
	struct slot_word w;
	uint32_t i = find_unfinished(e, execution, &w);

	if (i == SHM_NONE)
		return false;
	atomic_store(&e->slots.list[i].cancel, w.generation);
	look_again(e, i);
	return true;
}

static bool
say(struct exec *e, const struct uuid *execution, enum slot_pause pause)
{
	struct slot_word w;
	uint32_t i = find_unfinished(e, execution, &w);
	uint64_t before;

	if (i == SHM_NONE)
		return false;
	before = atomic_load(&e->slots.list[i].pause);
	do {
		if ((int32_t)((uint32_t)(before >> 32) - w.generation) > 0)
			return false; /* the word is a later run's */
	} while (!atomic_compare_exchange_weak(
	    &e->slots.list[i].pause, &before, slot_pause(w.generation, pause)));
	if ((before == slot_pause(w.generation, SLOT_PAUSE)) !=
	    (pause == SLOT_PAUSE))
		look_again(e, i);
	return true;
}

bool
exec_pause(struct exec *e, const struct uuid *execution)
{
	return say(e, execution, SLOT_PAUSE);
}

bool
exec_resume(struct exec *e, const struct uuid *execution)
{
	return say(e, execution, SLOT_RESUME);
}

void
run_asked(struct slot *slot, uint32_t generation, const struct run_resume *r)
{
	uint64_t said = atomic_load(&slot->pause);

	if (r->cancel)
		atomic_store(&slot->cancel, generation);
	while (r->paused && said >> 32 != generation &&
	       !atomic_compare_exchange_weak(
		   &slot->pause, &said, slot_pause(generation, SLOT_PAUSE)))
		;
}

size_t
exec_list(struct exec *e, uint32_t *from, struct uuid *executions, size_t max)
{
	uint32_t i = *from;
	size_t n = 0;

	for (; i < e->slots.count && n < max; i++) {
		struct slot_word w = slot_word(&e->slots, i);
		struct uuid id = e->slots.ids[i];

		if (w.state < SLOT_RESERVED || w.state >= SLOT_ENDED)
			continue;
		/* Another run's by now: its id may be half written. */
		atomic_thread_fence(memory_order_acquire);
		if (slot_word(&e->slots, i).generation == w.generation)
			executions[n++] = id;
	}
	*from = i < e->slots.count ? i : 0;
	return n;
}
