/* finish.c - begin and end of a run in its arena. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"

/* --- begin --- */

/* The plan's op names as ops of this process, once per plan. */
static const struct op *const *
resolve_ops(struct arena *a, uint32_t entry, const struct plan *plan)
{
	struct plan_ops *p = &a->plan_ops[entry];
	uint32_t generation = a->exec->plans.entries[entry].generation;
	const struct op **ops;

	if (p->ops != NULL && p->generation == generation)
		return p->ops;
	ops = calloc(plan->op_count + 1, sizeof(*ops));
	if (ops == NULL)
		return NULL;
	for (uint32_t i = 0; i < plan->op_count; i++)
		ops[i] = op_by_name(plan_op_name(plan, i));
	free(p->ops);
	*p = (struct plan_ops){
	    generation, plan->op_count, ops, secrets_named(plan)};
	return ops;
}

static bool
has_waited(const struct arena *a, const struct local *l)
{
	return l->parked_ns != 0 && a->now_ns - l->parked_ns > PATIENCE_NS;
}

/* Adjacent blocks for a large run may never come while small ones take what
 * they leave: these wait for a while, new ones are refused. */
static void
hold_others_back(struct arena *a, const struct local *l)
{
	if (has_waited(a, l) && a->now_ns - l->parked_ns < DRAIN_NS)
		atomic_store(
		    &a->exec->global->drain_ns, l->parked_ns + DRAIN_NS);
}

static bool
may_begin(const struct arena *a, const struct local *l)
{
	return a->now_ns >= atomic_load(&a->exec->global->drain_ns) ||
	       has_waited(a, l);
}

static bool
records_create(struct arena *a, uint32_t i, const struct plan *plan)
{
	struct slot *slot = &a->exec->slots.list[i];
	size_t size = run_memory_size(plan->node_count);
	uint64_t at;

	if (!may_begin(a, &a->locals[i]) || !arena_may_take(a, CLAIM_BEGIN))
		return false;
	do {
		at = slot_alloc(&a->exec->slots, i, size > 0 ? size : 8);
	} while (at == 0 && plan_cache_evict(&a->exec->plans));
	if (at == 0) {
		hold_others_back(a, &a->locals[i]);
		return false;
	}
	if (a->locals[i].parked_ns != 0)
		atomic_store(&a->exec->global->drain_ns, 0);
	memset(shm_at(&a->exec->shm, at), 0,
	    plan->node_count * sizeof(struct node_record));
	if (slot->base_us == 0) {
		slot->base_ns = clock_mono_ns();
		slot->base_us = clock_real_us();
	}
	atomic_store_explicit(&slot->memory, at, memory_order_release);
	return true;
}

static bool
has_leaf_results(const struct run *r, struct shm *shm)
{
	for (uint32_t i = 0; i < r->node_count; i++) {
		const struct output *o;

		if ((plan_nodes(r->plan)[i].flags & PLAN_NODE_LEAF) == 0)
			continue;
		o = output_at(shm, r->nodes[i].output);
		if (o != NULL && (o->has & OUTPUT_RESULT) != 0 &&
		    node_state(&r->nodes[i]) >= NODE_SUCCESS)
			return true;
	}
	return false;
}

static void
local_reset(struct arena *a, struct local *l, uint32_t slot, struct slot_word w)
{
	l->arena = a;
	l->slot = slot;
	l->word = w;
	l->open = l->announced = l->leaf_results = false;
	fair_remove(&a->active, &l->active); /* of an earlier life */
	l->tenant = slot_tenant(&a->exec->slots, slot);
	l->asked = l->elements_of = 0;
	l->attempts = l->awaiting = NULL;
	l->awaiting_end = &l->awaiting;
	l->fans = l->fans_ready = NULL;
	free(l->fan_at);
	l->fan_at = NULL;
	l->adopted_fans = false;
	l->timeout = (struct timer){.kind = TIMER_RUN};
	live_run_open(a, l);
}

void
local_control(struct arena *a, struct local *l)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];
	bool paused = l->run.paused != 0;
	uint32_t stop = atomic_load(&slot->state.stop);

	if (slot_paused(slot, l->word.generation))
		sched_pause(&l->run);
	else
		sched_resume(&l->run);
	if (atomic_load(&slot->cancel) == l->word.generation)
		local_stop(a, l, RUN_STOP_CANCEL);
	if (paused && l->run.paused == 0)
		fans_wake(l);
	if (paused != (l->run.paused != 0) ||
	    stop != atomic_load(&slot->state.stop))
		live_run_changed(a, l);
}

static void
local_go(struct arena *a, struct local *l, struct slot *slot)
{
	const struct plan *plan = l->run.plan;

	l->open = true;
	a->open_runs++;
	if (plan->timeout_ns > 0)
		timer_arm(
		    &a->timers, &l->timeout, slot->base_ns + plan->timeout_ns);
	atomic_store(&slot->status, RUN_RUNNING);
	live_run_changed(a, l);
	local_control(a, l);
	if (sched_ready(&l->run) && !sched_ended(&l->run))
		arena_activate(a, l);
	else
		arena_settle(a, l);
}

static void
local_close(struct arena *a, struct local *l, enum run_status status)
{
	atomic_store(&a->exec->slots.list[l->slot].status, status);
	live_run_changed(a, l);
	l->open = false;
	free(l->fan_at);
	l->fan_at = NULL;
	secrets_close(l);
	limits_ended(a, l);
	atomic_fetch_sub(&a->shared->load, 1);
	atomic_fetch_add_explicit(
	    &a->shared->runs_completed, 1, memory_order_relaxed);
	slot_step(&a->exec->slots, l->slot, &l->word, SLOT_ENDED);
	journal_mark(a->exec, l->slot, true);
}

/* There is no memory for its records: it waits, unless it is to be cancelled,
 * which needs none, as no node of it is recorded then. */
static void
local_wait(struct arena *a, struct local *l)
{
	struct slot *slot = &a->exec->slots.list[l->slot];

	if (atomic_load(&slot->cancel) != l->word.generation) {
		if (l->parked_ns == 0)
			l->parked_ns = a->now_ns;
		local_park(a, l);
		return;
	}
	if (slot->base_us == 0)
		slot->base_us = clock_real_us();
	slot->completed_ns = 0;
	l->parked_ns = 0;
	local_close(a, l, RUN_CANCELLED);
}

/* Paused before it began, and so it does not. */
static bool
may_not_begin(const struct slot *slot, struct slot_word w)
{
	return slot_paused(slot, w.generation) &&
	       atomic_load(&slot->cancel) != w.generation;
}

void
local_open(struct arena *a, uint32_t i, struct slot_word w)
{
	struct slot *slot = &a->exec->slots.list[i];
	struct local *l = &a->locals[i];
	uint32_t entry;
	const struct plan *plan = plan_cache_plan(&a->exec->plans, i, &entry);
	bool fresh = atomic_load(&slot->memory) == 0;

	local_reset(a, l, i, w);
	l->priority = slot->priority != SLOT_PRIORITY_OF_PLAN ? slot->priority
							      : plan->priority;
	if (fresh && may_not_begin(slot, w)) {
		live_run_changed(a, l);
		return;
	}
	if (!fresh)
		limits_begun(a, l);
	else if (!limits_begin(a, l)) {
		if (atomic_load(&slot->cancel) == w.generation)
			local_wait(a, l);
		return;
	}
	l->ops = resolve_ops(a, entry, plan);
	if (l->ops == NULL || (fresh && !records_create(a, i, plan))) {
		local_wait(a, l);
		return;
	}
	l->parked_ns = 0;
	l->base_ns = slot->base_ns;
	run_view(&l->run, plan, &slot->state,
	    shm_at(&a->exec->shm, atomic_load(&slot->memory)));
	if (a->plan_ops[entry].secrets && !secrets_open(a, l)) {
		local_park(a, l);
		return;
	}
	if (fresh) {
		sched_begin(&l->run);
	} else {
		fans_adopt(a, l);
		attempts_recover(a, l);
		sched_rebuild(&l->run, slot_flushed(slot).completed,
		    clock_mono_ns() - l->base_ns);
		attempts_interrupted(a, l);
		attempts_retry(a, l);
		l->leaf_results = has_leaf_results(&l->run, &a->exec->shm);
	}
	sched_publish(&l->run);
	l->counted = l->run.completed;
	local_go(a, l, slot);
}

void
local_stop(struct arena *a, struct local *l, enum run_stop why)
{
	/* Only once: cleanups that started since are left alone. */
	if (sched_ended(&l->run) || atomic_load(&l->run.state->stop) != RUN_GO)
		return;
	sched_stop(&l->run, why, clock_mono_ns() - l->base_ns);
	attempts_stop(a, l);
}

/* --- end --- */

static bool
text_put(struct arena *a, uint32_t slot, const char *text, size_t len,
    struct text *out)
{
	do {
		if (slot_text(&a->exec->slots, slot, text, len, out))
			return true;
	} while (plan_cache_evict(&a->exec->plans));
	return false;
}

/* The JSON object of the leaves' results; false: shared memory is full. */
static bool
result_create(struct arena *a, struct local *l, struct slot *slot)
{
	const struct run *r = &l->run;
	struct buf b;
	bool done = true;

	if (!l->leaf_results || slot->result.at != 0)
		return true;
	buf_create(&b, RESULT_MAX);
	buf_putc(&b, '{');
	for (uint32_t i = 0; i < r->node_count && !buf_failed(&b); i++) {
		const char *name = plan_node_name(r->plan, i);
		const char *text;
		size_t len;

		if ((plan_nodes(r->plan)[i].flags & PLAN_NODE_LEAF) == 0)
			continue;
		text = output_text(output_at(&a->exec->shm, r->nodes[i].output),
		    OUTPUT_RESULT, &len);
		if (text == NULL)
			continue;
		if (b.len > 1)
			buf_putc(&b, ',');
		json_write_string(&b, name, strlen(name));
		buf_putc(&b, ':');
		buf_put(&b, text, len);
	}
	buf_putc(&b, '}');
	if (!buf_failed(&b))
		done = text_put(a, l->slot, b.data, b.len, &slot->result);
	buf_free(&b);
	return done;
}

/* What an execution's error says: which node failed first, and how. */
static int
error_format(struct arena *a, struct local *l, char *text, size_t size)
{
	const struct run *r = &l->run;

	for (uint32_t k = 0; k < r->completed; k++) {
		uint32_t i = r->order[k];
		const char *why;
		size_t len;

		if (node_state(&r->nodes[i]) != NODE_FAILED)
			continue;
		why = output_text(output_at(&a->exec->shm, r->nodes[i].output),
		    OUTPUT_ERROR, &len);
		if (why == NULL)
			return snprintf(text, size, "Node \"%s\" failed.",
			    plan_node_name(r->plan, i));
		return snprintf(text, size, "Node \"%s\" failed: %.*s",
		    plan_node_name(r->plan, i), (int)(len < 4096 ? len : 4096),
		    why);
	}
	return 0;
}

static bool
error_create(struct arena *a, struct local *l, struct slot *slot)
{
	char text[1024], limit[32];
	int len = 0;

	if (slot->error.at != 0 || sched_status(&l->run) != RUN_FAILED)
		return true;
	if (atomic_load(&slot->state.stop) == RUN_STOP_TIMEOUT) {
		duration_format(l->run.plan->timeout_ns, limit, sizeof(limit));
		len = snprintf(text, sizeof(text),
		    "The execution took longer than its timeout of %s.", limit);
	} else {
		len = error_format(a, l, text, sizeof(text));
	}
	if (len >= (int)sizeof(text)) {
		len = (int)sizeof(text) - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--; /* never in the middle of a character */
	}
	return text_put(a, l->slot, text, (size_t)len, &slot->error);
}

void
local_end(struct arena *a, struct local *l)
{
	struct slot *slot = &a->exec->slots.list[l->slot];
	const struct run *r = &l->run;

	if ((!result_create(a, l, slot) || !error_create(a, l, slot)) &&
	    !a->desperate) {
		local_park(a, l);
		return;
	}
	timer_cancel(&a->timers, &l->timeout);
	slot->completed_ns =
	    r->completed > 0 ? r->nodes[r->order[r->completed - 1]].completed_ns
			     : clock_mono_ns() - l->base_ns;
	a->open_runs--;
	local_close(a, l, sched_status(&l->run));
}
