/* limits.c - who may begin now: places of organizations and their pools, as
 * gate.h counts them, and the queues of those who wait for one.
 *
 * A place in a pool is taken before one of the organization, and kept while
 * that is waited for: whoever has both runs, so all places come back. A run's
 * own place is of another kind; nothing that waits for one holds anything.
 */
#include "base/clock.h"
#include "exec/arena.h"
#include "exec/fan.h"

static struct gates *
gates(const struct arena *a)
{
	return &a->exec->tenants.gates;
}

/* --- under the lock --- */

/* All free places, to those who wait. */
static void
grant(struct exec *e, uint32_t gate)
{
	uint32_t arena;

	while ((arena = gate_grant(&e->tenants.gates, gate)) != GATE_NONE) {
		bits_add(exec_gate_inbox(e, arena), gate);
		arena_wake(&e->arenas[arena]);
	}
}

static void
grant_all(struct exec *e)
{
	for (uint32_t i = 0; i < e->tenants.gates.count; i++)
		if (gate_limit(&e->tenants.gates, i) != GATE_OPEN)
			grant(e, i);
}

/* --- places --- */

static void
give_place(struct arena *a, uint32_t gate)
{
	gate_free(gates(a), gate, a->index);
	if (gate_limit(gates(a), gate) == GATE_OPEN)
		return;
	tenants_lock(&a->exec->tenants);
	grant(a->exec, gate);
	tenants_unlock(&a->exec->tenants);
}

/* Says how urgent the best of those who wait here is. */
static void
tell_want(struct arena *a, uint32_t gate)
{
	uint32_t urgency = 0;

	if (fair_any_of(&a->waiting, gate))
		urgency = (uint32_t)(fair_best_of(&a->waiting, gate) -
				     PRIORITY_MIN + 1);
	tenants_lock(&a->exec->tenants);
	gate_want(gates(a), gate, a->index, urgency);
	grant(a->exec, gate);
	tenants_unlock(&a->exec->tenants);
}

static bool
take_place(struct arena *a, uint32_t gate)
{
	bool taken;

	if (gate_limit(gates(a), gate) == GATE_OPEN) {
		gate_hold(gates(a), gate, a->index);
		return true;
	}
	if (fair_any_of(&a->waiting, gate))
		return false;
	tenants_lock(&a->exec->tenants);
	taken = gate_take(gates(a), gate, a->index);
	tenants_unlock(&a->exec->tenants);
	return taken;
}

/* False: the item waits for its turn. */
static bool
take_or_wait(struct arena *a, uint32_t gate, struct fair_item *item, int prio)
{
	if (take_place(a, gate))
		return true;
	fair_push(&a->waiting, item, gate, prio);
	tell_want(a, gate);
	return false;
}

/* --- runs --- */

bool
limits_begin(struct arena *a, struct local *l)
{
	/* A parent that waits for its child holds a place already. */
	if (a->exec->slots.list[l->slot].admitted ||
	    a->exec->slots.list[l->slot].child)
		return true;
	if (l->turn.queued ||
	    !take_or_wait(a, gate_of_runs(l->tenant), &l->turn, l->priority))
		return false;
	a->exec->slots.list[l->slot].admitted = true;
	return true;
}

void
limits_begun(struct arena *a, struct local *l)
{
	struct slot *slot = &a->exec->slots.list[l->slot];

	if (slot->admitted || slot->child)
		return;
	gate_hold(gates(a), gate_of_runs(l->tenant), a->index);
	slot->admitted = true;
}

void
limits_ended(struct arena *a, struct local *l)
{
	struct slot *slot = &a->exec->slots.list[l->slot];

	fair_remove(&a->waiting, &l->turn);
	if (!slot->admitted)
		return;
	slot->admitted = false;
	give_place(a, gate_of_runs(l->tenant));
}

/* --- attempts --- */

static bool
take_pool(struct arena *a, struct attempt *t, const char *name)
{
	struct local *l = t->local;
	uint32_t gate;

	tenants_lock(&a->exec->tenants);
	gate = tenants_pool(&a->exec->tenants, l->tenant, name);
	tenants_unlock(&a->exec->tenants);
	t->no_pool = gate == GATE_NONE;
	if (t->no_pool)
		return true;
	if (!take_or_wait(a, gate, &t->turn, l->priority))
		return false;
	t->pool = gate + 1;
	return true;
}

bool
limits_take(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	uint32_t pool = attempt_plan(t)->pool;

	if (t->turn.queued)
		return false;
	if (pool != 0 && t->pool == 0 &&
	    !take_pool(a, t, plan_at(l->run.plan, pool)))
		return false;
	if (t->place)
		return true;
	t->place =
	    take_or_wait(a, gate_of_nodes(l->tenant), &t->turn, l->priority);
	return t->place;
}

void
limits_give(struct arena *a, struct attempt *t)
{
	uint32_t pool = t->pool;
	bool place = t->place;

	fair_remove(&a->waiting, &t->turn);
	t->pool = 0;
	t->place = false;
	if (place)
		give_place(a, gate_of_nodes(t->local->tenant));
	if (pool != 0)
		give_place(a, pool - 1);
}

void
limits_move(struct attempt *from, struct attempt *to)
{
	to->pool = from->pool;
	to->place = from->place;
	to->no_pool = from->no_pool;
	from->pool = 0;
	from->place = from->no_pool = false;
}

/* --- grants --- */

#define ITEM_OF(item, type)                                                    \
	((struct type *)(void *)((char *)(item)-offsetof(struct type, turn)))

/* It has what it needs. */
static void
granted(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	uint32_t node = t->node;
	int64_t now = clock_mono_ns() - l->base_ns;

	if (t->stage == ATTEMPT_FAN) {
		fan_wake(l, t->fan);
	} else if (l->run.paused != 0) {
		attempt_free(a, t);
		sched_push(&l->run, node);
	} else {
		sched_start(&l->run, node, now);
		attempt_begin(a, t);
	}
	arena_settle(a, l);
}

/* The next who waits has a place now; false: nobody waits any more. */
static bool
pass_on(struct arena *a, uint32_t gate, bool held)
{
	struct fair_item *item = fair_pop_of(&a->waiting, gate);
	struct attempt *t;

	if (item == NULL)
		return false;
	if (gate_is_of_runs(&a->exec->tenants, gate)) {
		struct local *l = ITEM_OF(item, local);

		a->exec->slots.list[l->slot].admitted = true;
		local_open(a, l->slot, l->word);
		return true;
	}
	t = ITEM_OF(item, attempt);
	if (held && gate == gate_of_nodes(t->local->tenant))
		t->place = true;
	else if (held)
		t->pool = gate + 1;
	if (limits_take(a, t))
		granted(a, t);
	return true;
}

static void
collect(struct arena *a, uint32_t gate)
{
	uint32_t limit, n;

	tenants_lock(&a->exec->tenants);
	n = gate_collect(gates(a), gate, a->index);
	tenants_unlock(&a->exec->tenants);
	while (n-- > 0)
		if (!pass_on(a, gate, true))
			give_place(a, gate);
	limit = gate_limit(gates(a), gate);
	n = limit < GATE_GONE ? 0 : a->waiting.tenants[gate].count;
	while (n-- > 0) {
		if (limit == GATE_OPEN)
			gate_hold(gates(a), gate, a->index);
		if (!pass_on(a, gate, limit == GATE_OPEN) && limit == GATE_OPEN)
			give_place(a, gate);
	}
	tell_want(a, gate);
}

void
limits_collect(struct arena *a)
{
	struct bits *inbox = exec_gate_inbox(a->exec, a->index);
	uint32_t first;
	uint64_t mask;

	while ((mask = bits_take(inbox, &first)) != 0)
		for (; mask != 0; mask &= mask - 1)
			collect(a, first + (uint32_t)__builtin_ctzll(mask));
}

void
limits_check(struct arena *a)
{
	for (uint32_t gate = a->waiting.turn; gate != 0;) {
		uint32_t next = a->waiting.tenants[gate - 1].next;

		bits_add(exec_gate_inbox(a->exec, a->index), gate - 1);
		gate = next == a->waiting.turn ? 0 : next;
	}
}

/* --- CPU time --- */

void
limits_spend(struct arena *a, const struct local *l, int64_t cpu_ns)
{
	struct slot *slot = &a->exec->slots.list[l->slot];
	int64_t spent =
	    atomic_load_explicit(&slot->cpu_ns, memory_order_relaxed);

	atomic_store_explicit(
	    &slot->cpu_ns, spent + cpu_ns, memory_order_relaxed);
}

/* --- other arenas --- */

void
limits_adopt(struct arena *a, unsigned from)
{
	struct exec *e = a->exec;

	tenants_lock(&e->tenants);
	for (uint32_t i = 0; i < e->tenants.gates.count; i++)
		gate_clear(&e->tenants.gates, i, from);
	for (uint32_t i = 0; i < e->slots.count; i++) {
		struct slot_word w = slot_word(&e->slots, i);

		if (w.arena == from && w.state == SLOT_RUNNING &&
		    e->slots.list[i].admitted)
			gate_hold(&e->tenants.gates,
			    gate_of_runs(slot_tenant(&e->slots, i)), a->index);
	}
	grant_all(e);
	tenants_unlock(&e->tenants);
}

void
limits_leave(struct arena *a)
{
	struct exec *e = a->exec;

	tenants_lock(&e->tenants);
	for (uint32_t i = 0; i < e->tenants.gates.count; i++) {
		struct gate_cell *c = gate_cell(&e->tenants.gates, i, a->index);
		uint32_t runs = atomic_load(&c->held);

		gate_clear(&e->tenants.gates, i, a->index);
		if (gate_is_of_runs(&e->tenants, i))
			atomic_store(&c->held, runs); /* who adopts counts */
	}
	grant_all(e);
	tenants_unlock(&e->tenants);
}

/* --- the host --- */

bool
exec_tenant_known(struct exec *e, const struct uuid *organization)
{
	uint32_t i = tenants_find(&e->tenants, organization);

	return i != SHM_NONE && atomic_load(&e->tenants.list[i].known) != 0;
}

unsigned
exec_tenant_exceeded(struct exec *e, const struct uuid *organization)
{
	uint32_t i = tenants_find(&e->tenants, organization);

	return i == SHM_NONE ? 0 : atomic_load(&e->tenants.list[i].exceeded);
}

/* Whoever waits for a pool that is gone fails. */
static void
tell_gone(struct exec *e, uint32_t gate)
{
	for (uint32_t k = 0; k < e->settings.arenas; k++) {
		if (gate_cell(&e->tenants.gates, gate, k)->want == 0)
			continue;
		bits_add(exec_gate_inbox(e, k), gate);
		arena_wake(&e->arenas[k]);
	}
}

void
exec_tenant_limit(struct exec *e, const struct uuid *organization,
    const struct tenant_limits *limits)
{
	uint32_t tenant;

	tenants_lock(&e->tenants);
	tenant = tenants_make(&e->tenants, organization);
	if (tenant != SHM_NONE) {
		tenants_limit(&e->tenants, tenant, limits);
		grant(e, gate_of_runs(tenant));
		grant(e, gate_of_nodes(tenant));
		for (uint32_t i = 0; i < e->tenants.count; i++) {
			uint32_t gate = e->tenants.count * 2 + i;

			if (e->tenants.pools[i].tenant != tenant + 1)
				continue;
			grant(e, gate);
			if (gate_limit(&e->tenants.gates, gate) == GATE_GONE)
				tell_gone(e, gate);
		}
	}
	tenants_unlock(&e->tenants);
}

uint32_t
exec_tenants(struct exec *e, struct uuid *list, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->tenants.count && n < max; i++)
		if (atomic_load(&e->tenants.list[i].state) == TENANT_READY)
			list[n++] = e->tenants.list[i].organization;
	return n;
}
