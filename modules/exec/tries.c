/* tries.c - what became of attempts that were cut off, from the records, the
 * last event, or the whole history. */
#include "exec/event.h"
#include "exec/scheduler.h"

static bool
is_of(const struct run_event *last, enum event_kind kind,
    const struct run_event *place)
{
	return last != NULL && last->kind == (uint8_t)kind &&
	       last->node == place->node && last->element == place->element;
}

/* --- where memory is left --- */

void
record_recover(const struct plan_node *p, struct node_record *n,
    const struct run_event *last, uint32_t random)
{
	if (last->kind == EVENT_TRIED && node_state(n) == NODE_RUNNING &&
	    n->attempts == last->attempt)
		record_retry(p, n, last->completed_ns, random);
}

bool
record_logs_interruption(const struct plan_node *p, const struct node_record *n,
    bool goes_on, const struct run_event *last, const struct run_event *place)
{
	if (goes_on || (p->flags & PLAN_NODE_ONCE) != 0 ||
	    node_interruptions(n) + 1 >= INTERRUPTED_MAX)
		return false;
	/* An owner that died here may have got so far. */
	return !is_of(last, EVENT_INTERRUPTED, place) ||
	       last->started_ns != n->completed_ns;
}

void
record_interrupted(struct node_record *n, bool goes_on)
{
	unsigned flags = n->flags & ~(unsigned)NODE_CUT_OFF;
	unsigned often = node_interruptions(n);

	if (goes_on) {
		flags |= NODE_GOES_ON;
	} else {
		often += often < INTERRUPTED_MAX;
		flags &= (1u << NODE_INTERRUPTED_SHIFT) - 1;
		flags |= often << NODE_INTERRUPTED_SHIFT;
	}
	node_become(n, NODE_PENDING, flags, n->attempts);
}

bool
record_gives_up(const struct plan_node *p, const struct node_record *n)
{
	if ((n->flags & (NODE_AGAIN | NODE_GOES_ON)) != NODE_AGAIN)
		return false;
	return (p->flags & PLAN_NODE_ONCE) != 0 ||
	       node_interruptions(n) >= INTERRUPTED_MAX;
}

/* --- where only the history is left --- */

void
record_restore(const struct plan_node *p, struct node_record *n,
    const struct run_event *event, uint32_t random)
{
	unsigned often = node_interruptions(n);
	unsigned flags = NODE_STARTED | NODE_AGAIN;

	if ((n->flags & NODE_STARTED) == 0)
		n->started_ns = event->started_ns;
	n->completed_ns = event->started_ns;
	n->attempts = event->attempt;
	switch ((enum event_kind)event->kind) {
	case EVENT_STARTED:
		flags |= NODE_CUT_OFF | NODE_TOLD;
		break;
	case EVENT_INTERRUPTED:
		often += often < INTERRUPTED_MAX;
		break;
	case EVENT_TRIED:
		record_retry(p, n, event->completed_ns, random);
		return;
	case EVENT_EXPANDED:
	case EVENT_SUCCESS:
	case EVENT_FAILED:
	case EVENT_SKIPPED:
	case EVENT_CANCELLED:
		return;
	}
	flags |= often << NODE_INTERRUPTED_SHIFT;
	node_become(n, NODE_PENDING, flags, event->attempt);
}
