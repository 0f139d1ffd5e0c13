/* journal.c - what of the runs has to be written, in ranges that never change
 * once they were offered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/arena.h"

int
journal_create(struct exec *e)
{
	struct journal *j = &e->journal;
	uint32_t runs = e->settings.max_runs;

	j->dirty = calloc(1, bits_size(runs));
	j->due = calloc(runs, sizeof(*j->due));
	j->in_flight = calloc(runs, 1);
	j->again = calloc(runs, 1);
	if (j->dirty == NULL || j->due == NULL || j->in_flight == NULL ||
	    j->again == NULL)
		return -1;
	bits_create(j->dirty, runs);
	return 0;
}

void
journal_destroy(struct exec *e)
{
	free(e->journal.dirty);
	free(e->journal.due);
	free(e->journal.in_flight);
	free(e->journal.again);
}

static void
signal_loop(struct exec *e)
{
	uint64_t one = 1;

	if (atomic_exchange(&e->journal.signalled, true))
		return;
	while (write(e->arena->shared->journal_fd, &one, sizeof(one)) < 0 &&
	       errno == EINTR)
		;
}

/* slot SHM_NONE: only wake the event loop. */
void
journal_mark(struct exec *e, uint32_t slot, bool completions)
{
	if (slot != SHM_NONE) {
		if (completions)
			atomic_store(&e->journal.due[slot], 1);
		bits_add(e->journal.dirty, slot);
	}
	if (!e->arena->quiet)
		signal_loop(e);
}

int
journal_fd(struct exec *e)
{
	return e->arena == NULL ? -1 : e->arena->shared->journal_fd;
}

/* --- what to offer --- */

static bool
is_mine(const struct exec *e, struct slot_word w)
{
	return w.arena == e->arena->index && w.epoch == e->arena->epoch &&
	       (w.state == SLOT_RUNNING || w.state == SLOT_ENDED);
}

static enum durability
durability(const struct exec *e, uint32_t i)
{
	uint32_t entry;

	return (enum durability)plan_cache_plan(&e->plans, i, &entry)
	    ->durability;
}

static uint32_t
total_nodes(const struct exec *e, uint32_t i)
{
	uint32_t entry;

	return plan_cache_plan(&e->plans, i, &entry)->node_count;
}

/* Results are large, and statements must not be. */
static size_t
output_bytes(struct exec *e, uint32_t ref)
{
	const struct output *o = output_at(&e->shm, ref);

	return o == NULL ? 0 : (size_t)o->result_len + o->log_len;
}

static uint32_t
events_end(struct exec *e, const struct slot *slot, uint32_t from, uint32_t end,
    size_t *bytes)
{
	if (slot->outputs < RANGE_BYTES)
		return end;
	for (; from < end && *bytes < RANGE_BYTES; from++)
		*bytes += output_bytes(
		    e, event_at(&e->shm, &slot->events, from)->output);
	return from;
}

static uint32_t
completed_end(struct exec *e, uint32_t i, const struct slot *slot,
    uint32_t from, uint32_t end, size_t *bytes)
{
	const struct node_record *nodes;
	const uint32_t *order;

	if (slot->outputs < RANGE_BYTES)
		return end;
	nodes = shm_at(&e->shm, atomic_load(&slot->memory));
	order = (const void *)(nodes + total_nodes(e, i));
	for (; from < end && *bytes < RANGE_BYTES; from++)
		*bytes += output_bytes(e, nodes[order[from]].output);
	return from;
}

/* What there is, as it was at one instant: an event follows from completions
 * before it, and a completion from events. While events come in too fast for
 * that, at least none that a completion follows from is missing. */
static struct flush
cut(const struct slot *slot)
{
	struct flush all = {.events = event_count(&slot->events)};
	uint32_t before;
	unsigned tries = 1000;

	do {
		before = all.events;
		all.completed = atomic_load_explicit(
		    &slot->state.completed, memory_order_acquire);
		all.events = event_count(&slot->events);
	} while (all.events != before && --tries > 0);
	return all;
}

static bool
is_offered(const struct slot *slot)
{
	return atomic_load(&slot->flush_to) != atomic_load(&slot->flushed);
}

/* Fixes the range in shared memory before anyone sees it; completions only
 * behind all events. */
static void
fix_range(struct exec *e, uint32_t i, struct slot *slot, bool ended)
{
	struct flush to = slot_flushed(slot);
	size_t bytes = 0;
	struct flush all;

	if (is_offered(slot)) { /* before: again */
		e->journal.again[i] = 1;
		return;
	}
	if ((!atomic_exchange(&e->journal.due[i], 0) && !ended) ||
	    durability(e, i) == DURABILITY_MEMORY)
		return;
	all = cut(slot);
	to.events = events_end(e, slot, to.events, all.events, &bytes);
	if (to.events == all.events)
		to.completed = completed_end(
		    e, i, slot, to.completed, all.completed, &bytes);
	atomic_store(&slot->flush_to, flush_pack(to));
	if (flush_pack(to) != flush_pack(all)) {
		atomic_store(&e->journal.due[i], 1); /* the rest follows */
		e->journal.again[i] = 1;
	}
}

/* Everything of an ended run is in what is offered. */
static bool
is_all(struct exec *e, uint32_t i, const struct slot *slot)
{
	struct flush to = slot_flush_to(slot);

	return durability(e, i) == DURABILITY_MEMORY ||
	       (to.completed == atomic_load(&slot->state.completed) &&
		   to.events == event_count(&slot->events));
}

static void
status_fill(
    struct exec *e, struct slot *slot, struct journal_entry *j, bool final)
{
	j->status =
	    final ? (enum run_status)atomic_load(&slot->status) : RUN_RUNNING;
	j->status_changed = j->status != (enum run_status)slot->status_written;
	j->started_us = slot->base_us;
	j->succeeded_nodes = atomic_load(&slot->state.succeeded);
	j->failed_nodes = atomic_load(&slot->state.failed);
	if (!final)
		return;
	j->completed_us = slot->base_us + slot->completed_ns / 1000;
	j->cpu_us = atomic_load(&slot->cpu_ns) / 1000;
	j->stored_bytes = (uint64_t)slot->context.len + slot->result.len +
			  slot->error.len + slot->outputs;
	if (slot->result.at != 0) {
		j->result = shm_at(&e->shm, slot->result.at);
		j->result_len = slot->result.len;
	}
	if (slot->error.at != 0) {
		j->error = shm_at(&e->shm, slot->error.at);
		j->error_len = slot->error.len;
	}
}

/* False: there is nothing to write about the slot now. */
static bool
entry_fill(struct exec *e, uint32_t i, struct journal_entry *j)
{
	struct slot *slot = &e->slots.list[i];
	struct slot_word w = slot_word(&e->slots, i);
	bool ended = w.state == SLOT_ENDED;
	struct flush from, to;
	bool final;

	/* An ended run without records was cancelled before it began. */
	if (!is_mine(e, w) || (!ended && atomic_load_explicit(&slot->memory,
					     memory_order_acquire) == 0))
		return false;
	fix_range(e, i, slot, ended);
	from = slot_flushed(slot);
	to = slot_flush_to(slot);
	/* The end of a run is told with its last completions, not before. */
	final = ended && is_all(e, i, slot);
	*j = (struct journal_entry){
	    .run = {.slot = i, .generation = w.generation},
	    .execution = e->slots.ids[i],
	    .organization = slot->organization,
	    .base_us = slot->base_us,
	    .total_nodes = total_nodes(e, i),
	    .first = from.completed + from.events,
	    .events_first = from.events,
	    .events = to.events - from.events};
	j->count = to.completed - from.completed + j->events;
	status_fill(e, slot, j, final);
	if (ended && !final) /* more follows this entry */
		e->journal.again[i] = 1;
	return j->count > 0 || j->status_changed;
}

size_t
journal_collect(struct exec *e, struct journal_entry *entries, size_t max)
{
	struct journal *j = &e->journal;
	size_t count = 0;
	uint32_t first;
	uint64_t mask;

	if (e->arena == NULL)
		return 0;
	atomic_store(&j->signalled, false);
	while (count < max && (mask = bits_take(j->dirty, &first)) != 0) {
		for (; mask != 0; mask &= mask - 1) {
			uint32_t i = first + (uint32_t)__builtin_ctzll(mask);

			if (j->in_flight[i]) {
				j->again[i] = 1;
			} else if (count == max) {
				bits_add(j->dirty, i);
			} else if (entry_fill(e, i, &entries[count])) {
				j->in_flight[i] = 1;
				count++;
			}
		}
	}
	if (bits_any(j->dirty))
		signal_loop(e);
	return count;
}

static void
text_of(const struct output *o, unsigned which, const char **text, size_t *len)
{
	*text = output_text(o, which, len);
}

static enum event_kind
kind_of(enum node_state s)
{
	switch (s) {
	case NODE_SUCCESS:
		return EVENT_SUCCESS;
	case NODE_SKIPPED:
		return EVENT_SKIPPED;
	case NODE_CANCELLED:
		return EVENT_CANCELLED;
	case NODE_FAILED:
	case NODE_PENDING:
	case NODE_RUNNING:
	case NODE_RETRY:
		break;
	}
	return EVENT_FAILED;
}

static void
output_read(struct exec *e, uint32_t ref, struct journal_node *out)
{
	const struct output *o = output_at(&e->shm, ref);

	text_of(o, OUTPUT_RESULT, &out->result, &out->result_len);
	text_of(o, OUTPUT_ERROR, &out->error, &out->error_len);
	text_of(o, OUTPUT_LOG, &out->log, &out->log_len);
}

static void
read_event(struct exec *e, const struct slot *slot, uint32_t i,
    struct journal_node *out)
{
	const struct run_event *event = event_at(&e->shm, &slot->events, i);

	out->node = event->node;
	out->element = event->element;
	out->kind = (enum event_kind)event->kind;
	out->attempts = event->attempt > 0 ? event->attempt : 1;
	out->started_us = event->started_ns / 1000;
	out->completed_us = event->completed_ns / 1000;
	output_read(e, event->output, out);
}

static void
read_completion(struct exec *e, const struct slot *slot, uint32_t total,
    uint32_t k, struct journal_node *out)
{
	const struct node_record *nodes =
	    shm_at(&e->shm, atomic_load(&slot->memory));
	const uint32_t *order = (const void *)(nodes + total);
	const struct node_record *n = &nodes[order[k]];

	out->node = order[k];
	out->element = ELEMENT_NONE;
	out->kind = kind_of(node_state(n));
	out->attempts = n->attempts > 0 ? n->attempts : 1;
	out->started_us = n->started_ns / 1000;
	out->completed_us = n->completed_ns / 1000;
	output_read(e, n->output, out);
}

void
journal_node(struct exec *e, const struct journal_entry *j, uint32_t i,
    struct journal_node *out)
{
	const struct slot *slot = &e->slots.list[j->run.slot];

	if (i < j->events)
		read_event(e, slot, j->events_first + i, out);
	else
		read_completion(e, slot, j->total_nodes,
		    j->first - j->events_first + i - j->events, out);
}

/* --- what became of it --- */

static bool
is_final(enum run_status s)
{
	return s == RUN_SUCCESS || s == RUN_FAILED || s == RUN_CANCELLED;
}

/* True if the entry is still ours to speak for. */
static bool
entry_slot(struct exec *e, const struct journal_entry *j, struct slot_word *w)
{
	*w = slot_word(&e->slots, j->run.slot);
	return w->generation == j->run.generation && is_mine(e, *w);
}

static void
committed(struct exec *e, const struct journal_entry *j)
{
	struct slot *slot = &e->slots.list[j->run.slot];
	struct slot_word w;
	struct flush to;

	if (!entry_slot(e, j, &w))
		return;
	to.events = j->events_first + j->events;
	to.completed = j->first + j->count - to.events;
	atomic_store(&slot->flushed, flush_pack(to));
	slot->status_written = j->status;
	if (is_final(j->status) && w.state == SLOT_ENDED &&
	    slot_step(&e->slots, j->run.slot, &w, SLOT_FREEING)) {
		e->journal.again[j->run.slot] = 0;
		slot_release(&e->slots, j->run.slot, w);
	} else if (w.state == SLOT_RUNNING && j->count > j->events &&
		   durability(e, j->run.slot) == DURABILITY_SYNC) {
		arena_released(e, j->run.slot);
	}
	if (j->events > 0 && atomic_load(&slot->awaited) != 0)
		arena_look(e, e->arena->index, j->run.slot);
}

static void
land(struct exec *e, uint32_t slot)
{
	e->journal.in_flight[slot] = 0;
	if (!e->journal.again[slot])
		return;
	e->journal.again[slot] = 0;
	bits_add(e->journal.dirty, slot);
}

void
journal_committed_quietly(
    struct exec *e, const struct journal_entry *entries, size_t n)
{
	if (e->arena == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		committed(e, &entries[i]);
		land(e, entries[i].run.slot);
	}
	arena_memory_freed(e);
}

void
journal_committed(struct exec *e, const struct journal_entry *entries, size_t n)
{
	journal_committed_quietly(e, entries, n);
	if (e->arena != NULL && bits_any(e->journal.dirty))
		signal_loop(e);
}

void
journal_failed(struct exec *e, const struct journal_entry *entries, size_t n)
{
	if (e->arena == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		e->journal.again[entries[i].run.slot] = 1;
		land(e, entries[i].run.slot);
	}
	if (n > 0)
		signal_loop(e);
}

/* --- how late it is --- */

/* When the oldest row came to be that is not written; INT64_MAX: there is
 * none. */
static int64_t
row_since(const struct exec *e, uint32_t i, const struct slot *slot)
{
	const struct node_record *nodes =
	    shm_at(&e->shm, atomic_load(&slot->memory));
	const uint32_t *order = (const void *)(nodes + total_nodes(e, i));
	struct flush flushed = slot_flushed(slot);
	int64_t since = INT64_MAX;

	if (durability(e, i) == DURABILITY_MEMORY)
		return since;
	if (atomic_load_explicit(&slot->state.completed, memory_order_acquire) >
	    flushed.completed)
		since = nodes[order[flushed.completed]].completed_ns;
	if (event_count(&slot->events) > flushed.events) {
		int64_t told = event_at(&e->shm, &slot->events, flushed.events)
				   ->completed_ns;

		since = told < since ? told : since;
	}
	return since == INT64_MAX ? since : slot->base_ns + since;
}

static int64_t
waits_since(const struct exec *e, uint32_t i, int64_t now)
{
	const struct slot *slot = &e->slots.list[i];
	struct slot_word w = slot_word(&e->slots, i);
	int64_t since;

	if (!is_mine(e, w) || atomic_load(&slot->memory) == 0)
		return now;
	since = row_since(e, i, slot);
	if (since != INT64_MAX)
		return since;
	if (w.state == SLOT_ENDED)
		return slot->base_ns + slot->completed_ns;
	return slot->status_written == RUN_PENDING ? slot->base_ns : now;
}

int64_t
journal_lag_ns(struct exec *e)
{
	int64_t now = clock_mono_ns();
	int64_t oldest = now;

	if (e->arena == NULL)
		return 0;
	for (uint32_t i = 0; i < e->slots.count; i++) {
		int64_t since = waits_since(e, i, now);

		if (since < oldest)
			oldest = since;
	}
	return now - oldest;
}
