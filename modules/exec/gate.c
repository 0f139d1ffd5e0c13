/* gate.c - places, those who hold them and those who wait. */
#include "exec/gate.h"

uint32_t
gate_used(const struct gates *g, uint32_t gate)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < g->arenas; i++) {
		const struct gate_cell *c = gate_cell(g, gate, i);

		used += atomic_load(&c->held) + atomic_load(&c->granted);
	}
	return used;
}

static bool
has_place(const struct gates *g, uint32_t gate)
{
	uint32_t limit = gate_limit(g, gate);

	return limit == GATE_OPEN ||
	       (limit != GATE_GONE && gate_used(g, gate) < limit);
}

static bool
others_wait(const struct gates *g, uint32_t gate, uint32_t arena)
{
	for (uint32_t i = 0; i < g->arenas; i++)
		if (i != arena && gate_cell(g, gate, i)->want != 0)
			return true;
	return false;
}

bool
gate_take(const struct gates *g, uint32_t gate, uint32_t arena)
{
	if (!has_place(g, gate) || others_wait(g, gate, arena))
		return false;
	gate_hold(g, gate, arena);
	return true;
}

void
gate_want(
    const struct gates *g, uint32_t gate, uint32_t arena, uint32_t urgency)
{
	gate_cell(g, gate, arena)->want = urgency;
}

uint32_t
gate_grant(const struct gates *g, uint32_t gate)
{
	struct gate *t = &g->list[gate];
	uint32_t best = GATE_NONE;
	uint32_t want = 0;

	for (uint32_t k = 0; k < g->arenas; k++) {
		uint32_t i = (t->turn + k) % g->arenas;

		if (gate_cell(g, gate, i)->want <= want)
			continue;
		best = i;
		want = gate_cell(g, gate, i)->want;
	}
	if (best == GATE_NONE || !has_place(g, gate))
		return GATE_NONE;
	t->turn = (best + 1) % g->arenas;
	/* Dying in between: it is granted one and still waits for one. */
	atomic_fetch_add(&gate_cell(g, gate, best)->granted, 1);
	gate_cell(g, gate, best)->want = 0;
	return best;
}

uint32_t
gate_collect(const struct gates *g, uint32_t gate, uint32_t arena)
{
	struct gate_cell *c = gate_cell(g, gate, arena);
	uint32_t granted = atomic_load(&c->granted);

	/* Dying in between is no harm: the cell is cleared. */
	atomic_store(&c->held, atomic_load(&c->held) + granted);
	atomic_store(&c->granted, 0);
	return granted;
}

void
gate_clear(const struct gates *g, uint32_t gate, uint32_t arena)
{
	struct gate_cell *c = gate_cell(g, gate, arena);

	c->want = 0;
	atomic_store(&c->granted, 0);
	atomic_store(&c->held, 0);
}
