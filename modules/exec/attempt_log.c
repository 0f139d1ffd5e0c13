/* attempt_log.c - what an attempt leaves in shared memory: its output, and what
 * the run's log is told of it; and what whoever takes the run over makes of
 * that.
 *
 * An attempt that failed and is followed by another is logged before its record
 * changes, so between the two a crash leaves the log one ahead: the last event
 * tells. An attempt that runs is logged when the journal is flushed anyway, or
 * before it begins where it may not begin twice.
 */
#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"

static bool
keeps_history(const struct local *l)
{
	return l->run.plan->durability != DURABILITY_MEMORY;
}

static struct run_event
event_of(const struct attempt *t, enum event_kind kind, int64_t completed)
{
	const struct node_record *n = attempt_record(t);

	return (struct run_event){.node = t->node,
	    .element = t->element,
	    .attempt = n->attempts,
	    .kind = (uint8_t)kind,
	    .started_ns = n->completed_ns,
	    .completed_ns = completed};
}

/* --- outputs --- */

/* One run must not take the memory of all others: what is too much fails. */
static void
refuse_excess(struct arena *a, struct local *l, struct op_outcome *o)
{
	size_t held = a->exec->slots.list[l->slot].outputs;

	if (held + o->result_len + o->log_len <= a->exec->settings.run_bytes)
		return;
	*o = (struct op_outcome){.state = OUTCOME_FAILED,
	    .error_code = "results_too_large",
	    .error = "The results and logs of this execution take more than a "
		     "quarter of shared_memory."};
}

bool
output_put(
    struct arena *a, struct local *l, struct op_outcome *o, uint32_t *ref)
{
	if (o->result == NULL && o->error == NULL && o->log == NULL) {
		*ref = 0;
		return true;
	}
	refuse_excess(a, l, o);
	while (arena_may_take(a, CLAIM_OUTPUT)) {
		if (slot_output(&a->exec->slots, l->slot, o, ref))
			return true;
		if (!plan_cache_evict(&a->exec->plans))
			break;
	}
	if (!a->desperate)
		return false;
	*o = (struct op_outcome){.state = OUTCOME_FAILED,
	    .error = "There was no shared memory left for the node's result."};
	slot_output(&a->exec->slots, l->slot, o, ref);
	a->desperate = false; /* it may be enough for the others */
	return true;
}

/* --- attempts that run --- */

static bool
log_started(struct arena *a, struct attempt *t)
{
	struct node_record *n = attempt_record(t);
	struct run_event event =
	    event_of(t, EVENT_STARTED, a->now_ns - t->local->base_ns);

	if (node_state(n) != NODE_RUNNING || (n->flags & NODE_TOLD) != 0)
		return true;
	if (event.completed_ns < event.started_ns)
		event.completed_ns = event.started_ns;
	if (!event_append(a, t->local, &event))
		return false;
	n->flags |= NODE_TOLD;
	return true;
}

/* New attempts stand before older ones: all behind one that was told of were
 * told of. */
void
attempts_tell(struct arena *a, struct local *l)
{
	struct attempt *t = l->attempts;

	for (; t != NULL && !t->told; t = t->next) {
		if (!log_started(a, t))
			break;
		t->told = true;
	}
	if (t == NULL || t->told)
		return;
	for (struct attempt *again = l->attempts; again != t;
	     again = again->next)
		again->told = false;
}

bool
attempts_untold(const struct local *l)
{
	return l->attempts != NULL && !l->attempts->told;
}

void
attempt_log_last(struct arena *a, struct attempt *t)
{
	const struct node_record *n = attempt_record(t);

	if (n->attempts > 1 || node_interruptions(n) > 0)
		log_started(a, t);
}

/* --- attempts that failed --- */

bool
attempt_log_tried(struct arena *a, const struct attempt *t,
    const struct op_outcome *o, int64_t now)
{
	struct local *l = t->local;
	struct op_outcome left = {.state = OUTCOME_FAILED,
	    .error = o->error,
	    .log = o->log,
	    .log_len = o->log_len};
	struct run_event event = event_of(t, EVENT_TRIED, now);

	if (!keeps_history(l))
		return true;
	if (a->exec->slots.list[l->slot].outputs + left.log_len >
	    a->exec->settings.run_bytes)
		left.log = NULL;
	return (output_put(a, l, &left, &event.output) &&
		   event_append(a, l, &event)) ||
	       a->desperate;
}

/* --- attempts that may not begin twice --- */

/* Its start is not durable yet: it waits for the journal. */
static void
wait_for_journal(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	struct slot *slot = &a->exec->slots.list[l->slot];

	t->stage = ATTEMPT_ANNOUNCED;
	t->event = event_count(&slot->events);
	t->chain = NULL;
	*l->awaiting_end = t;
	l->awaiting_end = &t->chain;
	atomic_store(&slot->awaited, 1);
	journal_mark(a->exec, l->slot, true);
}

bool
attempt_announce(struct arena *a, struct attempt *t)
{
	const struct plan_node *p = &plan_nodes(t->local->run.plan)[t->node];

	if ((p->flags & PLAN_NODE_ONCE) == 0 || t->announced ||
	    !keeps_history(t->local))
		return true;
	if (log_started(a, t))
		wait_for_journal(a, t);
	else
		attempt_park_start(a, t);
	return false;
}

void
attempts_announced(struct arena *a, struct local *l)
{
	struct slot *slot = &a->exec->slots.list[l->slot];
	uint32_t durable = slot_flushed(slot).events;
	struct attempt *t;

	while ((t = l->awaiting) != NULL && t->event <= durable) {
		l->awaiting = t->chain;
		if (l->awaiting == NULL)
			l->awaiting_end = &l->awaiting;
		t->announced = true;
		attempt_act(a, t);
	}
	if (l->awaiting == NULL)
		atomic_store(&slot->awaited, 0);
}

/* --- after a crash --- */

static const struct run_event *
last_event(const struct arena *a, const struct local *l)
{
	const struct event_log *log = &a->exec->slots.list[l->slot].events;
	uint32_t count = event_count(log);

	return count == log->base ? NULL
				  : event_at(&a->exec->shm, log, count - 1);
}

void
attempts_recover(struct arena *a, struct local *l)
{
	const struct run_event *last = last_event(a, l);
	struct fan_block *b;
	struct node_record *n;

	if (last == NULL || last->kind != EVENT_TRIED)
		return;
	n = &l->run.nodes[last->node];
	if (last->element != ELEMENT_NONE) {
		b = fan_block_of(a, l, last->node);
		if (b == NULL)
			return;
		n = &b->elements[last->element];
	}
	record_recover(
	    &plan_nodes(l->run.plan)[last->node], n, last, random_next(a));
}

/* Without memory for the event only the history lacks it. */
static void
interrupted(struct arena *a, struct local *l, struct node_record *n,
    uint32_t node, uint32_t element)
{
	const struct plan_node *p = &plan_nodes(l->run.plan)[node];
	const struct op *op = l->ops[p->op];
	struct run_event event = {.node = node,
	    .element = element,
	    .attempt = n->attempts,
	    .kind = EVENT_INTERRUPTED,
	    .started_ns = n->completed_ns,
	    .completed_ns = clock_mono_ns() - l->base_ns};
	bool goes_on = op != NULL && op->goes_on;

	/* Of a node with for_each, its elements are what runs. */
	if (p->for_each != 0 && element == ELEMENT_NONE)
		goes_on = true;
	if (record_logs_interruption(p, n, goes_on, last_event(a, l), &event))
		event_append(a, l, &event);
	record_interrupted(n, goes_on);
}

void
attempts_interrupted(struct arena *a, struct local *l)
{
	for (uint32_t i = 0; i < l->run.node_count; i++)
		if (record_is_cut_off(&l->run.nodes[i]))
			interrupted(a, l, &l->run.nodes[i], i, ELEMENT_NONE);
}

void
elements_interrupted(struct arena *a, struct fan *fan)
{
	struct node_record *n = fan->block->elements;

	for (uint32_t i = 0; i < fan->block->count; i++)
		if (record_is_cut_off(&n[i]))
			interrupted(
			    a, fan->attempt->local, &n[i], fan->block->node, i);
}
