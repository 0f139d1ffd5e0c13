/* fanout.c - the elements of one node. */
#include "exec/fanout.h"

static struct node_record *
record(const struct fanout *f, uint32_t element)
{
	return &f->elements[element];
}

static void
set_state(struct node_record *r, enum node_state state)
{
	atomic_store_explicit(&r->state, (uint8_t)state, memory_order_release);
}

void
fanout_create(struct fanout *f, struct node_record *elements, uint32_t count,
    uint32_t concurrency)
{
	*f = (struct fanout){.elements = elements,
	    .count = count,
	    .concurrency = concurrency,
	    .failed = FANOUT_NONE};
}

void
fanout_restore(
    struct fanout *f, uint32_t element, const struct node_record *ended)
{
	struct node_record *r = record(f, element);

	r->flags = NODE_STARTED;
	r->attempts = ended->attempts;
	r->output = ended->output;
	r->started_ns = ended->started_ns;
	r->completed_ns = ended->completed_ns;
	set_state(r, node_state(ended));
}

/* What ended, and the first that failed. */
static void
count_ended(struct fanout *f, uint32_t element, enum node_state state)
{
	const struct node_record *r = record(f, element);

	f->ended++;
	f->succeeded += state == NODE_SUCCESS;
	if (state == NODE_FAILED &&
	    (f->failed == FANOUT_NONE ||
		r->completed_ns < record(f, f->failed)->completed_ns))
		f->failed = element;
	/* Something other than us cancelled it: the node is, too. */
	if (state == NODE_CANCELLED && f->failed == FANOUT_NONE)
		f->stopped = true;
}

void
fanout_rebuild(struct fanout *f)
{
	fanout_create(f, f->elements, f->count, f->concurrency);
	for (uint32_t i = 0; i < f->count; i++) {
		struct node_record *r = record(f, i);
		enum node_state s = node_state(r);

		if (s == NODE_RUNNING)
			record_cut_off(r);
		f->active += s == NODE_RETRY;
		if (s >= NODE_SUCCESS)
			count_ended(f, i, s);
	}
}

bool
fanout_next(struct fanout *f, uint32_t *element)
{
	if (!fanout_open(f) || f->active >= f->concurrency)
		return false;
	for (; f->next < f->count; f->next++) {
		if (node_state(record(f, f->next)) != NODE_PENDING)
			continue;
		*element = f->next++;
		return true;
	}
	return false;
}

void
fanout_start(struct fanout *f, uint32_t element, int64_t now)
{
	struct node_record *r = record(f, element);

	f->active += node_state(r) != NODE_RETRY;
	record_start(r, now);
}

void
fanout_end(
    struct fanout *f, uint32_t element, enum node_state state, int64_t now)
{
	struct node_record *r = record(f, element);

	f->active--;
	r->completed_ns = now;
	set_state(r, state);
	count_ended(f, element, state);
}

bool
fanout_may_retry(const struct fanout *f, const struct plan_node *plan,
    uint32_t element, bool retryable)
{
	return retryable && record(f, element)->attempts <= plan->retry_limit &&
	       fanout_open(f);
}

void
fanout_stop(struct fanout *f)
{
	f->stopped = true;
}

enum node_state
fanout_state(const struct fanout *f)
{
	if (f->failed != FANOUT_NONE)
		return NODE_FAILED;
	return f->succeeded == f->count ? NODE_SUCCESS : NODE_CANCELLED;
}
