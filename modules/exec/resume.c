/* resume.c - the history that the database holds of a run, as the records that
 * a run has in shared memory. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"
#include "exec/list.h"

struct resume {
	struct exec *exec;
	uint32_t slot;
	const struct plan *plan;
	int64_t base_us;
	struct run run;
	uint64_t random;
	uint32_t completed, events;
	struct fan_block **fans; /* by node; NULL: there are none */
};

static int
full(struct err *err)
{
	return err_set(err, "executor_full", EXECUTOR_FULL);
}

static int
corrupted(struct err *err)
{
	return err_set(err, "corrupted_history",
	    "The history has a node twice or one that the plan does not have.");
}

/* The state in which a completion left its node; NODE_PENDING: it is an event.
 */
static enum node_state
ended_by(enum event_kind kind)
{
	switch (kind) {
	case EVENT_SUCCESS:
		return NODE_SUCCESS;
	case EVENT_FAILED:
		return NODE_FAILED;
	case EVENT_SKIPPED:
		return NODE_SKIPPED;
	case EVENT_CANCELLED:
		return NODE_CANCELLED;
	case EVENT_STARTED:
	case EVENT_TRIED:
	case EVENT_INTERRUPTED:
	case EVENT_EXPANDED:
		break;
	}
	return NODE_PENDING;
}

/* False: shared memory is full. */
static bool
take_completion(struct resume *r, struct node_record *n,
    const struct run_done *d, enum node_state state)
{
	struct op_outcome o = {
	    .result = d->result, .result_len = d->result_len};

	if (!slot_output(&r->exec->slots, r->slot, &o, &n->output))
		return false;
	n->attempts = d->attempts;
	n->flags = NODE_STARTED;
	n->started_ns = (d->started_us - r->base_us) * 1000;
	n->completed_ns = (d->completed_us - r->base_us) * 1000;
	atomic_store(&n->state, (uint8_t)state);
	r->run.order[r->completed++] = d->node;
	return true;
}

/* The list of a fan-out, as it was. */
static int
take_list(struct resume *r, const struct run_done *d, struct err *err)
{
	const struct slots *s = &r->exec->slots;
	uint32_t count =
	    d->result == NULL
		? LIST_BAD
		: list_split(d->result, d->result_len, NULL, d->element);
	uint32_t *starts;
	uint64_t at;

	if (count != d->element || plan_nodes(r->plan)[d->node].for_each == 0 ||
	    (r->fans != NULL && r->fans[d->node] != NULL))
		return corrupted(err);
	if (r->fans == NULL)
		r->fans = calloc(r->plan->node_count, sizeof(*r->fans));
	starts = mem_heap(((size_t)count + 1) * sizeof(*starts));
	if (r->fans == NULL || starts == NULL) {
		free(starts);
		return full(err);
	}
	list_split(d->result, d->result_len, starts, count);
	at = fan_block_create(
	    s, r->slot, d->node, d->result, d->result_len, starts, count);
	free(starts);
	if (at == 0)
		return full(err);
	r->fans[d->node] = shm_at(s->shm, at);
	r->fans[d->node]->told = 1;
	return 0;
}

/* An event of a node or an element, which may have ended by a later row. */
static void
take_event(struct resume *r, struct node_record *n, const struct run_done *d)
{
	struct run_event event = {.node = d->node,
	    .element = d->element,
	    .attempt = d->attempts,
	    .kind = (uint8_t)d->kind,
	    .started_ns = (d->started_us - r->base_us) * 1000,
	    .completed_ns = (d->completed_us - r->base_us) * 1000};

	r->random = r->random * 6364136223846793005u + 1442695040888963407u;
	record_restore(&plan_nodes(r->plan)[d->node], n, &event,
	    (uint32_t)(r->random >> 32));
}

static int
take_element(struct resume *r, const struct run_done *d, struct err *err)
{
	struct fan_block *b = r->fans == NULL ? NULL : r->fans[d->node];
	enum node_state state = ended_by(d->kind);
	struct op_outcome o = {
	    .result = d->result, .result_len = d->result_len};
	struct node_record *n;

	if (b == NULL || d->element >= b->count || state == NODE_SKIPPED)
		return corrupted(err);
	n = &b->elements[d->element];
	if (node_state(n) >= NODE_SUCCESS)
		return corrupted(err);
	if (state == NODE_PENDING) {
		take_event(r, n, d);
		return 0;
	}
	if (!slot_output(&r->exec->slots, r->slot, &o, &n->output))
		return full(err);
	n->attempts = d->attempts;
	n->flags = NODE_STARTED;
	n->started_ns = (d->started_us - r->base_us) * 1000;
	n->completed_ns = (d->completed_us - r->base_us) * 1000;
	atomic_store(&n->state, (uint8_t)state);
	return 0;
}

static int
take_row(struct resume *r, const struct run_done *d, struct err *err)
{
	enum node_state state = ended_by(d->kind);
	struct node_record *n = r->run.nodes;

	if (d->node >= r->plan->node_count)
		return corrupted(err);
	n += d->node;
	if (d->element != ELEMENT_NONE || d->kind == EVENT_EXPANDED) {
		r->events++;
		return d->kind == EVENT_EXPANDED ? take_list(r, d, err)
						 : take_element(r, d, err);
	}
	if (node_state(n) >= NODE_SUCCESS)
		return corrupted(err);
	if (state != NODE_PENDING)
		return take_completion(r, n, d, state) ? 0 : full(err);
	r->events++;
	take_event(r, n, d);
	return 0;
}

static int
fill(struct resume *r, const struct run_resume *from, struct err *err)
{
	struct slot *slot = &r->exec->slots.list[r->slot];
	uint32_t count = r->plan->node_count;
	size_t size = run_memory_size(count);
	uint64_t at = slot_alloc(&r->exec->slots, r->slot, size > 0 ? size : 8);
	uint64_t flushed;

	if (at == 0)
		return full(err);
	memset(
	    shm_at(&r->exec->shm, at), 0, count * sizeof(struct node_record));
	run_view(&r->run, r->plan, &slot->state, shm_at(&r->exec->shm, at));
	for (uint32_t k = 0; k < from->count; k++)
		if (take_row(r, &from->done[k], err) != 0)
			return -1;
	flushed = flush_pack((struct flush){r->completed, r->events});
	slot->base_us = r->base_us;
	slot->base_ns = clock_mono_ns() - (clock_real_us() - r->base_us) * 1000;
	atomic_store(&slot->state.completed, r->completed);
	slot->events.base = r->events;
	atomic_store(&slot->events.count, r->events);
	atomic_store(&slot->flushed, flushed);
	atomic_store(&slot->flush_to, flushed);
	atomic_store(&slot->memory, at);
	return 0;
}

/* The run's memory may be more than there ever is: then waiting is no use. */
static int
check_size(const struct exec *e, const struct run_resume *from, size_t records,
    struct err *err)
{
	size_t all = (size_t)e->shm.head->block_count * SHM_BLOCK;
	size_t need = records + from->count * sizeof(struct output);

	for (uint32_t k = 0; k < from->count; k++) {
		need += from->done[k].result_len;
		if (from->done[k].kind == EVENT_EXPANDED)
			need += fan_block_size(0, from->done[k].element);
	}
	if (need + e->settings.reserve_bytes <= all)
		return 0;
	return err_set(err, "run_too_large",
	    "The execution's nodes and results need %zu bytes of shared "
	    "memory: shared_memory must be larger.",
	    need);
}

int
resume_run(struct exec *e, uint32_t slot, const struct run_resume *from,
    struct err *err)
{
	struct slot_mark mark = slot_mark(&e->slots, slot);
	int rc;
	uint32_t entry;
	struct resume r = {.exec = e,
	    .slot = slot,
	    .plan = plan_cache_plan(&e->plans, slot, &entry),
	    .base_us =
		from->started_us != 0 ? from->started_us : clock_real_us(),
	    .random = (uint64_t)clock_mono_ns()};

	if (check_size(e, from, run_memory_size(r.plan->node_count), err) != 0)
		return -1;
	rc = fill(&r, from, err);
	free(r.fans);
	if (rc == 0)
		return 0;
	atomic_store(&e->slots.list[slot].fans, 0);
	slot_rewind(&e->slots, slot, mark);
	return -1;
}
