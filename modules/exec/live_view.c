/* live_view.c - reads what may vanish: look, copy, look again. */
#include <string.h>

#include "exec/arena.h"
#include "exec/live_view.h"

struct sight {
	struct exec *exec;
	struct run_ref ref;
	const struct slot *slot;
	const struct plan *plan;
	const struct node_record *nodes; /* NULL: it has not begun */
	uint32_t count;			 /* nodes */
};

static bool
in_region(const struct exec *e, uint64_t at, uint64_t size)
{
	uint64_t end = e->shm.head->size;

	return at >= e->shm.head->blocks && at < end && size <= end - at;
}

static bool
is_there(const struct exec *e, struct run_ref ref)
{
	struct slot_word w;

	if (ref.slot >= e->slots.count)
		return false;
	w = slot_word(&e->slots, ref.slot);
	return w.generation == ref.generation &&
	       (w.state == SLOT_QUEUED || w.state == SLOT_RUNNING ||
		   w.state == SLOT_ENDED);
}

/* After the copies were made. */
static bool
is_still_there(const struct sight *s)
{
	atomic_thread_fence(memory_order_acquire);
	return is_there(s->exec, s->ref);
}

static const struct plan *
plan_of(const struct exec *e, uint32_t slot)
{
	uint32_t i = atomic_load(&e->slots.plans[slot]) - 1;
	const struct plan *plan;
	uint64_t at;

	if (i >= e->plans.count)
		return NULL;
	at = shm_block_offset(&e->shm, e->plans.entries[i].first_block);
	if (!in_region(e, at, sizeof(*plan)))
		return NULL;
	plan = shm_at(&e->shm, at);
	return in_region(e, at, plan->size) ? plan : NULL;
}

static bool
look(struct exec *e, struct run_ref ref, struct sight *s)
{
	uint64_t at;

	if (!is_there(e, ref))
		return false;
	*s = (struct sight){
	    .exec = e, .ref = ref, .slot = &e->slots.list[ref.slot]};
	s->plan = plan_of(e, ref.slot);
	if (s->plan == NULL)
		return false;
	s->count = s->plan->node_count;
	at = atomic_load_explicit(&s->slot->memory, memory_order_acquire);
	if (at != 0 && in_region(e, at, run_memory_size(s->count)))
		s->nodes = shm_at(&e->shm, at);
	return is_still_there(s);
}

static bool
copy(struct mem *m, const struct exec *e, uint64_t at, size_t len,
    struct live_text *out)
{
	char *to;

	if (!in_region(e, at, len))
		return false;
	if ((to = mem_alloc(m, len + 1)) == NULL)
		return false;
	memcpy(to, shm_at(&e->shm, at), len);
	to[len] = '\0';
	*out = (struct live_text){to, len};
	return true;
}

static bool
copy_text(
    struct mem *m, const struct exec *e, struct text t, struct live_text *out)
{
	return t.at == 0 || copy(m, e, t.at, t.len, out);
}

/* --- the run -------------------------------------------------------------- */

static bool
ended_run(const struct sight *s, struct mem *m, struct live_run_view *out)
{
	out->completed_us = out->started_us + s->slot->completed_ns / 1000;
	out->cpu_us = atomic_load(&s->slot->cpu_ns) / 1000;
	return copy_text(m, s->exec, s->slot->result, &out->result) &&
	       copy_text(m, s->exec, s->slot->error, &out->error);
}

bool
live_view_run(struct exec *e, struct run_ref ref, struct mem *m,
    struct live_run_view *out)
{
	struct sight s;

	if (!look(e, ref, &s))
		return false;
	*out = (struct live_run_view){.execution = e->slots.ids[ref.slot],
	    .organization = s.slot->organization,
	    .status = (enum run_status)atomic_load(&s.slot->status),
	    .begun = s.nodes != NULL,
	    .paused = slot_paused(s.slot, ref.generation),
	    .keeps_history = s.plan->durability != DURABILITY_MEMORY,
	    .started_us = s.slot->base_us,
	    .total = s.count,
	    .completed = atomic_load(&s.slot->state.completed),
	    .succeeded = atomic_load(&s.slot->state.succeeded),
	    .failed = atomic_load(&s.slot->state.failed)};
	if (out->status == RUN_PENDING)
		out->started_us = 0;
	if (out->status > RUN_RUNNING && !ended_run(&s, m, out))
		return false;
	return is_still_there(&s);
}

/* --- a node --------------------------------------------------------------- */

static enum live_node_status
status_of(enum node_state s)
{
	switch (s) {
	case NODE_PENDING:
		return LIVE_PENDING;
	case NODE_RUNNING:
	case NODE_RETRY:
		return LIVE_RUNNING;
	case NODE_SUCCESS:
		return LIVE_SUCCESS;
	case NODE_SKIPPED:
		return LIVE_SKIPPED;
	case NODE_CANCELLED:
		return LIVE_CANCELLED;
	case NODE_FAILED:
		break;
	}
	return LIVE_FAILED;
}

static bool
copy_name(const struct sight *s, uint32_t node, struct mem *m,
    struct live_node_view *out)
{
	const char *base = (const char *)s->plan;
	const char *nodes = (const char *)(plan_nodes(s->plan) + node);
	uint64_t size = s->plan->size, at;
	const char *end;

	if (nodes < base ||
	    (uint64_t)(nodes - base) + sizeof(struct plan_node) > size)
		return false;
	at = (uint64_t)(plan_node_name(s->plan, node) - base);
	if (at >= size || (end = memchr(base + at, 0, size - at)) == NULL)
		return false;
	out->name.len = (size_t)(end - base - (ptrdiff_t)at);
	out->name.text = mem_strndup(m, base + at, out->name.len);
	return out->name.text != NULL;
}

static bool
copy_output(const struct sight *s, uint32_t ref, struct mem *m,
    struct live_node_view *out)
{
	const struct exec *e = s->exec;
	uint64_t at = (uint64_t)ref * 8;
	struct output o;

	if (ref == 0)
		return true;
	if (!in_region(e, at, sizeof(o)))
		return false;
	memcpy(&o, shm_at(&e->shm, at), sizeof(o));
	at += sizeof(o);
	if ((o.has & OUTPUT_RESULT) != 0 &&
	    !copy(m, e, at, o.result_len, &out->result))
		return false;
	at += o.result_len;
	if ((o.has & OUTPUT_ERROR) != 0 &&
	    !copy(m, e, at, o.error_len, &out->error))
		return false;
	at += o.error_len;
	return (o.has & OUTPUT_LOG) == 0 ||
	       copy(m, e, at, o.log_len, &out->log);
}

static void
times_of(const struct sight *s, const struct node_record *n,
    enum live_node_status status, struct live_node_view *out)
{
	int64_t base = s->slot->base_us;

	if ((n->flags & NODE_STARTED) != 0)
		out->started_us = base + n->started_ns / 1000;
	if (status > LIVE_RUNNING)
		out->completed_us = base + n->completed_ns / 1000;
}

bool
live_view_node(struct exec *e, struct run_ref ref, uint32_t node, bool texts,
    struct mem *m, struct live_node_view *out)
{
	const struct node_record *n;
	struct sight s;

	memset(out, 0, sizeof(*out));
	if (!look(e, ref, &s) || node >= s.count)
		return false;
	if (texts && !copy_name(&s, node, m, out))
		return false;
	if (s.nodes != NULL) {
		n = &s.nodes[node];
		out->status = status_of(node_state(n));
		out->attempts = n->attempts;
		times_of(&s, n, out->status, out);
		if (texts && out->status > LIVE_RUNNING &&
		    !copy_output(&s, n->output, m, out))
			return false;
	}
	return is_still_there(&s);
}

/* When its state last changed; 0: never. */
static int64_t
changed_us(const struct sight *s, const struct node_record *n)
{
	if (node_state(n) == NODE_PENDING)
		return 0;
	return s->slot->base_us +
	       (node_state(n) == NODE_RETRY ? n->started_ns : n->completed_ns) /
		   1000;
}

bool
live_view_changed(struct exec *e, struct run_ref ref, int64_t since_us,
    uint32_t from, uint32_t *nodes, size_t max, size_t *count, uint32_t *next)
{
	struct sight s;
	uint32_t i = from;

	*count = 0;
	if (!look(e, ref, &s))
		return false;
	for (; s.nodes != NULL && i < s.count && *count < max; i++)
		if (node_state(&s.nodes[i]) != NODE_PENDING &&
		    changed_us(&s, &s.nodes[i]) >= since_us)
			nodes[(*count)++] = i;
	*next = s.nodes != NULL && i < s.count ? i : 0;
	return is_still_there(&s);
}

/* --- names ---------------------------------------------------------------- */

const char *
live_run_status_name(enum run_status s)
{
	static const char *const names[] = {
	    "pending", "running", "success", "failed", "cancelled"};

	return (unsigned)s < sizeof(names) / sizeof(*names) ? names[s]
							    : "failed";
}

const char *
live_node_status_name(enum live_node_status s)
{
	static const char *const names[] = {
	    "pending", "running", "success", "failed", "skipped", "cancelled"};

	return names[s];
}
