/* live_run.c - what an arena tells of its runs. */
#include "exec/arena.h"

void
live_run_open(struct arena *a, struct local *l)
{
	l->published = 0;
	l->interest =
	    live_interest(&a->exec->live, &a->exec->slots.ids[l->slot]);
}

static uint64_t
asked(const struct local *l)
{
	return l->interest == NULL ? 0 : atomic_load(l->interest);
}

static void
publish(struct arena *a, const struct local *l, struct live_event event)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];

	event.execution = a->exec->slots.ids[l->slot];
	event.organization = slot->organization;
	event.run = (struct run_ref){l->slot, l->word.generation};
	live_publish(&a->exec->live, a->index, &event);
}

static void
publish_node(struct arena *a, const struct local *l, uint32_t node,
    enum live_kind kind, int64_t at_ns)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];
	const struct node_record *n = &l->run.nodes[node];

	publish(a, l,
	    (struct live_event){.node = node,
		.kind = (uint8_t)kind,
		.state = (uint8_t)node_state(n),
		.attempt = n->attempts,
		.time_us = slot->base_us + at_ns / 1000});
}

void
live_run_nodes(struct arena *a, struct local *l, uint32_t from)
{
	uint64_t workers = asked(l);

	if (workers == 0)
		return;
	if (from < l->published)
		from = l->published;
	l->published = l->run.completed;
	for (uint32_t k = from; k < l->run.completed; k++) {
		uint32_t node = l->run.order[k];

		publish_node(
		    a, l, node, LIVE_NODE, l->run.nodes[node].completed_ns);
	}
	live_wake(&a->exec->live, workers);
}

/* While it runs, a record's completed_ns is the start of its attempt. */
void
live_run_attempt(struct arena *a, struct local *l, uint32_t node)
{
	const struct node_record *n = &l->run.nodes[node];
	int64_t at = n->completed_ns;
	uint64_t workers = asked(l);

	if (workers == 0)
		return;
	live_run_nodes(a, l, l->counted); /* they came before */
	if (node_state(n) == NODE_RETRY)
		at = a->now_ns - l->base_ns;
	publish_node(a, l, node, LIVE_NODE, at);
	live_wake(&a->exec->live, workers);
}

void
live_run_elements(struct arena *a, struct local *l, uint32_t node)
{
	uint64_t workers = asked(l);

	if (workers == 0)
		return;
	publish_node(a, l, node, LIVE_ELEMENTS, a->now_ns - l->base_ns);
	live_wake(&a->exec->live, workers);
}

void
live_run_changed(struct arena *a, const struct local *l)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];
	uint32_t status = atomic_load(&slot->status);
	uint64_t workers = asked(l);
	int64_t at = a->now_ns - l->base_ns;

	if (workers == 0)
		return;
	if (status > RUN_RUNNING)
		at = slot->completed_ns;
	publish(a, l,
	    (struct live_event){.node = LIVE_RUN,
		.kind = LIVE_EXECUTION,
		.state = (uint8_t)status,
		.time_us = slot->base_us == 0 ? 0 : slot->base_us + at / 1000});
	live_wake(&a->exec->live, workers);
}
