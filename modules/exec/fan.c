/* fan.c - nodes that run once per element: from their list to their result. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"

#define JOIN_AT_ONCE 256 /* results between two looks at the clock */

/* --- life ----------------------------------------------------------------- */

void
fan_wake(struct local *l, struct fan *fan)
{
	if (fan->ready)
		return;
	fan->ready = true;
	fan->ready_next = NULL;
	if (l->fans_ready == NULL)
		l->fans_ready = fan;
	else
		l->fans_ready_last->ready_next = fan;
	l->fans_ready_last = fan;
}

void
fans_wake(struct local *l)
{
	for (struct fan *fan = l->fans; fan != NULL; fan = fan->next)
		fan_wake(l, fan);
}

static struct fan *
fan_next_ready(struct local *l)
{
	struct fan *fan = l->fans_ready;

	l->fans_ready = fan->ready_next;
	fan->ready = false;
	return fan;
}

static void
unready(struct local *l, struct fan *fan)
{
	struct fan **at = &l->fans_ready, *last = NULL;

	while (*at != fan) {
		last = *at;
		at = &last->ready_next;
	}
	*at = fan->ready_next;
	if (l->fans_ready_last == fan)
		l->fans_ready_last = last;
}

void
fan_free(struct local *l, struct fan *fan)
{
	if (fan->ready)
		unready(l, fan);
	if (fan->next != NULL)
		fan->next->prev = fan->prev;
	if (fan->prev != NULL)
		fan->prev->next = fan->next;
	else
		l->fans = fan->next;
	buf_free(&fan->joined);
	free(fan);
}

static struct fan *
fan_create(struct arena *a, struct attempt *t, struct fan_block *b)
{
	struct local *l = t->local;
	struct fan *fan = mem_heap(sizeof(*fan));
	size_t len;

	if (fan == NULL)
		return NULL;
	memset(fan, 0, sizeof(*fan));
	fan->block = b;
	fan->attempt = t;
	fan->list =
	    output_text(output_at(&a->exec->shm, b->list), OUTPUT_RESULT, &len);
	fan->next = l->fans;
	if (l->fans != NULL)
		l->fans->prev = fan;
	l->fans = fan;
	buf_create(&fan->joined, a->exec->settings.compute.result_bytes);
	fanout_create(&fan->machine, b->elements, b->count,
	    attempt_plan(fan->attempt)->concurrency);
	fanout_rebuild(&fan->machine);
	elements_interrupted(a, fan);
	return fan;
}

/* --- begin ---------------------------------------------------------------- */

/* Its block, made from the list that was evaluated; NULL: no memory now. */
static struct fan_block *
block_create(struct arena *a, struct attempt *t)
{
	const struct slots *s = &a->exec->slots;
	const struct op_call *call = t->call;
	uint64_t at;

	while (arena_may_take(a, CLAIM_OUTPUT)) {
		at = fan_block_create(s, t->local->slot, t->node,
		    call->outcome.result, call->outcome.result_len,
		    call->starts, call->count);
		if (at != 0)
			return shm_at(&a->exec->shm, at);
		if (!plan_cache_evict(&a->exec->plans))
			break;
	}
	return NULL;
}

static bool
is_too_much(const struct arena *a, const struct attempt *t)
{
	const struct op_call *call = t->call;
	size_t held = a->exec->slots.list[t->local->slot].outputs;

	return call->part == CALL_LIST &&
	       held + fan_block_size(call->outcome.result_len, call->count) >
		   a->exec->settings.run_bytes;
}

/* What the log says of the list, as the journal writes it. */
static bool
tell_expanded(struct arena *a, struct attempt *t)
{
	struct fan_block *b = t->fan->block;
	int64_t now = clock_mono_ns() - t->local->base_ns;
	struct run_event event = {.node = t->node,
	    .element = b->count,
	    .output = b->list,
	    .attempt = 1,
	    .kind = EVENT_EXPANDED,
	    .started_ns = t->local->run.nodes[t->node].started_ns,
	    .completed_ns = now};

	if (b->told == 0 && !event_append(a, t->local, &event))
		return false;
	b->told = 1;
	return true;
}

/* Elements that wait for their next attempt, from an earlier owner. */
static void
arm_waiting(struct arena *a, struct fan *fan)
{
	for (uint32_t i = 0; i < fan->machine.count; i++) {
		struct attempt *t;

		if (node_state(&fan->block->elements[i]) != NODE_RETRY)
			continue;
		t = attempt_new(a, fan->attempt->local, fan->attempt->node);
		if (t == NULL) {
			fan->no_memory = true;
			fanout_end(&fan->machine, i, NODE_CANCELLED, 0);
			continue;
		}
		t->fan = fan;
		t->element = i;
		element_wait(t);
		if (timer_arm(&a->timers, &t->timer,
			t->local->base_ns +
			    fan->block->elements[i].completed_ns) != 0)
			element_due(t);
	}
}

/* True: the fan is there, complete. False: it waits for memory or has failed. */
static bool
fan_make(struct arena *a, struct attempt *t)
{
	struct fan_block *b = fan_block_of(a, t->local, t->node);

	if (is_too_much(a, t)) {
		op_call_fail(t->call, false, "results_too_large",
		    "The list and its elements take more of the execution's "
		    "quarter of shared_memory than is left.");
		attempt_finish(a, t);
		return false;
	}
	if (b == NULL && (b = block_create(a, t)) == NULL) {
		if (!a->desperate) {
			attempt_park(a, t);
			return false;
		}
		a->desperate = false;
	}
	if (b != NULL && t->fan == NULL)
		t->fan = fan_create(a, t, b);
	if (t->fan != NULL)
		return true;
	op_call_fail(t->call, b != NULL, "out_of_memory",
	    "There is no memory for the elements of the node's list.");
	attempt_finish(a, t);
	return false;
}

void
fan_begin(struct arena *a, struct attempt *t)
{
	if (t->stopped) {
		op_call_cancelled(t->call);
		attempt_finish(a, t);
		return;
	}
	if (t->fan == NULL && !fan_make(a, t))
		return;
	if (!tell_expanded(a, t)) {
		attempt_park(a, t);
		return;
	}
	t->stage = ATTEMPT_FAN;
	t->call->outcome = (struct op_outcome){.state = OUTCOME_SUCCESS};
	arm_waiting(a, t->fan);
	fan_wake(t->local, t->fan);
}

void
fan_stop(struct local *l, struct fan *fan)
{
	fanout_stop(&fan->machine);
	fan_wake(l, fan);
}

void
fan_element(const struct fan *fan, uint32_t element, struct op_call *call)
{
	const uint32_t *starts = fan_starts(fan->block) + element;

	call->element = element;
	call->item = fan->list + starts[0];
	call->item_len = starts[1] - 1 - starts[0];
	call->roots = fan->attempt->call->roots;
}

/* --- elements ------------------------------------------------------------- */

static void
link_to(struct attempt **head, struct attempt *t)
{
	t->wait_next = *head;
	t->wait_at = head;
	if (*head != NULL)
		(*head)->wait_at = &t->wait_next;
	*head = t;
}

void
element_unlink(struct attempt *t)
{
	if (t->wait_at == NULL)
		return;
	*t->wait_at = t->wait_next;
	if (t->wait_next != NULL)
		t->wait_next->wait_at = t->wait_at;
	t->wait_at = NULL;
}

void
element_wait(struct attempt *t)
{
	t->stage = ATTEMPT_RETRY;
	link_to(&t->fan->waiting, t);
}

void
element_due(struct attempt *t)
{
	element_unlink(t);
	link_to(&t->fan->due, t);
	fan_wake(t->local, t->fan);
}

static enum event_kind
event_of(enum node_state s)
{
	return s == NODE_SUCCESS  ? EVENT_SUCCESS
	       : s == NODE_FAILED ? EVENT_FAILED
				  : EVENT_CANCELLED;
}

bool
element_end(struct arena *a, struct attempt *t, enum node_state state,
    uint32_t output, const char *code, int64_t now)
{
	struct fan *fan = t->fan;
	struct node_record *r = &fan->block->elements[t->element];
	struct run_event event = {.node = t->node,
	    .element = t->element,
	    .output = output,
	    .attempt = r->attempts,
	    .kind = (uint8_t)event_of(state),
	    .started_ns = r->started_ns,
	    .completed_ns = now};

	if (!event_append(a, t->local, &event))
		return false;
	r->output = output;
	if (state == NODE_FAILED && fanout_open(&fan->machine))
		fan->code = code;
	fanout_end(&fan->machine, t->element, state, now);
	fan_wake(t->local, fan);
	return true;
}

/* Once nothing starts any more, what waits for another attempt ends. */
static bool
cancel_one(struct arena *a, struct fan *fan)
{
	struct attempt *t = fan->waiting != NULL ? fan->waiting : fan->due;

	if (t == NULL || fanout_open(&fan->machine))
		return false;
	element_unlink(t);
	t->stopped = true;
	attempt_finish(a, t);
	return true;
}

/* False: nothing may start now. */
static bool
start_one(struct arena *a, struct fan *fan, int64_t now)
{
	struct attempt *t = fan->due;
	uint32_t element;

	if (!fanout_open(&fan->machine) ||
	    fan->attempt->local->run.paused != 0) {
		limits_give(a, fan->attempt);
		return false;
	}
	if (!limits_take(a, fan->attempt))
		return false;
	if (t != NULL) {
		element_unlink(t);
		attempt_renew(t);
	} else if (fanout_next(&fan->machine, &element)) {
		t = attempt_new(a, fan->attempt->local, fan->attempt->node);
		if (t == NULL) {
			fan->no_memory = true;
			fan_stop(fan->attempt->local, fan);
			return false;
		}
		t->fan = fan;
		t->element = element;
	} else {
		limits_give(a, fan->attempt);
		return false;
	}
	limits_move(fan->attempt, t);
	t->gives_up =
	    record_gives_up(attempt_plan(t), &fan->block->elements[t->element]);
	fanout_start(&fan->machine, t->element, now);
	attempt_begin(a, t);
	return true;
}

/* --- end ------------------------------------------------------------------ */

/* The list of results, some at a time; false: there is more. */
static bool
join(struct arena *a, struct fan *fan)
{
	uint32_t count = fan->machine.count;
	uint32_t end = fan->joined_count + JOIN_AT_ONCE;
	struct buf *b = &fan->joined;

	for (; fan->joined_count < count && fan->joined_count < end &&
	       !buf_failed(b);
	     fan->joined_count++) {
		const struct node_record *r =
		    &fan->block->elements[fan->joined_count];
		size_t len;
		const char *text = output_text(
		    output_at(&a->exec->shm, r->output), OUTPUT_RESULT, &len);

		buf_putc(b, fan->joined_count == 0 ? '[' : ',');
		if (text != NULL)
			buf_put(b, text, len);
		else
			buf_puts(b, "null");
	}
	if (fan->joined_count < count && !buf_failed(b))
		return false;
	if (count == 0)
		buf_putc(b, '[');
	buf_putc(b, ']');
	return true;
}

static void
succeed(struct arena *a, struct fan *fan)
{
	struct op_call *call = fan->attempt->call;

	if (buf_failed(&fan->joined)) {
		op_call_fail(call, false, "result_too_large",
		    "The list of the elements' results has more than %zu "
		    "bytes.",
		    a->exec->settings.compute.result_bytes);
		return;
	}
	call->outcome.state = OUTCOME_SUCCESS;
	call->outcome.result = fan->joined.data;
	call->outcome.result_len = fan->joined.len;
}

static void
fail(struct arena *a, struct fan *fan)
{
	uint32_t element = fan->machine.failed;
	const struct node_record *r = &fan->block->elements[element];
	size_t len;
	const char *error = output_text(
	    output_at(&a->exec->shm, r->output), OUTPUT_ERROR, &len);

	op_call_fail(fan->attempt->call, false,
	    fan->code != NULL ? fan->code : "element_failed",
	    "Element %u of %u: %.*s", element + 1, fan->machine.count,
	    error != NULL ? (int)len : 10,
	    error != NULL ? error : "It failed.");
}

/* Nothing of it runs any more; true: more has to be done for the result. */
static bool
fan_end(struct arena *a, struct fan *fan)
{
	struct op_call *call = fan->attempt->call;

	switch (fanout_state(&fan->machine)) {
	case NODE_SUCCESS:
		if (!join(a, fan))
			return true;
		succeed(a, fan);
		break;
	case NODE_FAILED:
		fail(a, fan);
		break;
	case NODE_CANCELLED:
	case NODE_PENDING:
	case NODE_RUNNING:
	case NODE_RETRY:
	case NODE_SKIPPED:
		op_call_cancelled(call);
		if (fan->no_memory && !fan->attempt->stopped)
			op_call_fail(call, false, "out_of_memory",
			    "There is no memory for one more element.");
		break;
	}
	fan->ended = true;
	attempt_finish(a, fan->attempt);
	return false;
}

/* Until the instant; true: there is more to do at once. */
static bool
fan_work(struct arena *a, struct local *l, struct fan *fan, int64_t until)
{
	while (!fan->ended) {
		int64_t now = clock_mono_ns() - l->base_ns;

		if (now >= until)
			return true;
		if (cancel_one(a, fan))
			continue;
		if (!fanout_ended(&fan->machine)) {
			if (!start_one(a, fan, now))
				return false;
		} else if (!fan_end(a, fan)) {
			return false;
		}
	}
	return false;
}

void
fans_turn(struct arena *a, struct local *l, int64_t until)
{
	while (l->fans_ready != NULL && clock_mono_ns() - l->base_ns < until) {
		struct fan *fan = fan_next_ready(l);

		if (fan_work(a, l, fan, until))
			fan_wake(l, fan);
	}
}

/* --- takeover ------------------------------------------------------------- */

struct fan_block *
fan_block_of(const struct arena *a, const struct local *l, uint32_t node)
{
	if (!l->adopted_fans)
		return NULL;
	if (l->fan_at == NULL)
		return fan_block_find(&a->exec->slots, l->slot, node);
	return l->fan_at[node] != 0 ? shm_at(&a->exec->shm, l->fan_at[node])
				    : NULL;
}

/* Where each node's block is, so that none has to be searched. */
static void
find_blocks(struct arena *a, struct local *l)
{
	uint64_t at = atomic_load(&a->exec->slots.list[l->slot].fans);

	l->adopted_fans = at != 0;
	if (at == 0)
		return;
	l->fan_at = calloc(l->run.node_count, sizeof(*l->fan_at));
	while (at != 0 && l->fan_at != NULL) {
		const struct fan_block *b = shm_at(&a->exec->shm, at);

		if (l->fan_at[b->node] == 0) /* the newest counts */
			l->fan_at[b->node] = at;
		at = b->next;
	}
}

static void
adopt_end(struct fan_block *b, const struct run_event *event)
{
	struct fanout machine;
	struct node_record r = {.attempts = event->attempt,
	    .output = event->output,
	    .started_ns = event->started_ns,
	    .completed_ns = event->completed_ns};

	atomic_store(&r.state,
	    (uint8_t)(event->kind == EVENT_SUCCESS  ? NODE_SUCCESS
		      : event->kind == EVENT_FAILED ? NODE_FAILED
						    : NODE_CANCELLED));
	fanout_create(&machine, b->elements, b->count, 1);
	fanout_restore(&machine, event->element, &r);
}

void
fans_adopt(struct arena *a, struct local *l)
{
	const struct slot *slot = &a->exec->slots.list[l->slot];
	uint32_t count = event_count(&slot->events);
	const struct run_event *event;
	struct fan_block *b;

	find_blocks(a, l);
	if (!l->adopted_fans || count == slot->events.base)
		return;
	event = event_at(&a->exec->shm, &slot->events, count - 1);
	if (event->element == ELEMENT_NONE)
		return;
	b = fan_block_of(a, l, event->node);
	if (b == NULL)
		return;
	if (event->kind == EVENT_EXPANDED)
		b->told = 1;
	else if (event->element < b->count &&
		 (event->kind == EVENT_SUCCESS || event->kind == EVENT_FAILED ||
		     event->kind == EVENT_CANCELLED))
		adopt_end(b, event);
}
