/* timer.h - a heap of instants, private to an arena's thread.
 *
 * Owner:    timers are embedded in what they belong to and only linked here;
 *           8 bytes of pointer and 8 of time per armed timer.
 * Fails:    timer_arm returns -1 when out of memory; nothing is armed then.
 */
#ifndef OPEN_EXEC_TIMER_H
#define OPEN_EXEC_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	uint32_t at;   /* place in the heap + 1; 0: not armed */
	uint32_t kind; /* the owner's */
};

struct timer_slot {
	int64_t due_ns; /* CLOCK_MONOTONIC */
	struct timer *timer;
};

struct timers {
	struct timer_slot *heap;
	uint32_t count, cap;
};

void timers_free(struct timers *);
/* Arms it, or moves it if it is armed. */
int timer_arm(struct timers *, struct timer *, int64_t due_ns);
void timer_cancel(struct timers *, struct timer *);
/* The next due timer, no longer armed; NULL: none is due. */
struct timer *timers_pop(struct timers *, int64_t now_ns);
/* INT64_MAX: it is not armed. */
static inline int64_t
timer_due(const struct timers *t, const struct timer *timer)
{
	return timer->at != 0 ? t->heap[timer->at - 1].due_ns : INT64_MAX;
}
/* INT64_MAX: none. */
static inline int64_t
timers_next(const struct timers *t)
{
	return t->count > 0 ? t->heap[0].due_ns : INT64_MAX;
}

#endif
