/* timer.c - a binary heap whose entries know their place. */
#include <stdlib.h>

#include "exec/timer.h"

void
timers_free(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){0};
}

static void
put(struct timers *t, uint32_t at, struct timer_slot s)
{
	t->heap[at] = s;
	s.timer->at = at + 1;
}

static void
rise(struct timers *t, uint32_t at)
{
	struct timer_slot s = t->heap[at];

	while (at > 0 && t->heap[(at - 1) / 2].due_ns > s.due_ns) {
		put(t, at, t->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(t, at, s);
}

static void
sink(struct timers *t, uint32_t at)
{
	struct timer_slot s = t->heap[at];

	for (;;) {
		uint32_t child = at * 2 + 1;

		if (child >= t->count)
			break;
		if (child + 1 < t->count &&
		    t->heap[child + 1].due_ns < t->heap[child].due_ns)
			child++;
		if (t->heap[child].due_ns >= s.due_ns)
			break;
		put(t, at, t->heap[child]);
		at = child;
	}
	put(t, at, s);
}

static int
grow(struct timers *t)
{
	uint32_t cap = t->cap == 0 ? 64 : t->cap * 2;
	struct timer_slot *heap =
	    realloc(t->heap, cap * sizeof(struct timer_slot));

	if (heap == NULL)
		return -1;
	t->heap = heap;
	t->cap = cap;
	return 0;
}

int
timer_arm(struct timers *t, struct timer *timer, int64_t due_ns)
{
	timer_cancel(t, timer);
	if (t->count == t->cap && grow(t) != 0)
		return -1;
	t->heap[t->count] = (struct timer_slot){due_ns, timer};
	rise(t, t->count++);
	return 0;
}

void
timer_cancel(struct timers *t, struct timer *timer)
{
	uint32_t at = timer->at;

	if (at == 0)
		return;
	timer->at = 0;
	at--;
	t->count--;
	if (at == t->count)
		return;
	put(t, at, t->heap[t->count]);
	sink(t, at);
	rise(t, at);
}

struct timer *
timers_pop(struct timers *t, int64_t now_ns)
{
	struct timer *timer;

	if (t->count == 0 || t->heap[0].due_ns > now_ns)
		return NULL;
	timer = t->heap[0].timer;
	timer_cancel(t, timer);
	return timer;
}
