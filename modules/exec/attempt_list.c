/* attempt_list.c - the attempts that an arena has. */
#include <stdlib.h>

#include "exec/arena.h"
#include "exec/fan.h"

/* --- attempts: taken from slabs, given back to a list --- */

#define SLAB 128

struct slab {
	struct slab *next;
	struct attempt attempts[SLAB];
};

static bool
slab_add(struct arena *a)
{
	struct slab *slab = malloc(sizeof(*slab));

	if (slab == NULL)
		return false;
	slab->next = a->slabs;
	a->slabs = slab;
	for (unsigned i = 0; i < SLAB; i++) {
		slab->attempts[i].chain = a->unused;
		a->unused = &slab->attempts[i];
	}
	return true;
}

struct attempt *
attempt_new(struct arena *a, struct local *l, uint32_t node)
{
	struct attempt *t;

	if (a->unused == NULL && !slab_add(a))
		return NULL;
	t = a->unused;
	a->unused = t->chain;
	*t = (struct attempt){.timer = {.kind = TIMER_ATTEMPT},
	    .node = node,
	    .element = ELEMENT_NONE,
	    .local = l,
	    .next = l->attempts};
	if (l->attempts != NULL)
		l->attempts->prev = t;
	l->attempts = t;
	return t;
}

static void
unlink_attempt(struct attempt *t)
{
	if (t->next != NULL)
		t->next->prev = t->prev;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		t->local->attempts = t->next;
}

void
attempt_renew(struct attempt *t)
{
	struct local *l = t->local;

	unlink_attempt(t);
	t->prev = NULL;
	t->next = l->attempts;
	if (l->attempts != NULL)
		l->attempts->prev = t;
	l->attempts = t;
	t->told = t->announced = false;
}

void
attempt_free(struct arena *a, struct attempt *t)
{
	timer_cancel(&a->timers, &t->timer);
	if (attempt_is_element(t))
		element_unlink(t);
	else if (t->fan != NULL)
		fan_free(t->local, t->fan);
	limits_give(a, t);
	if (t->call != NULL)
		op_call_free(t->call);
	t->call = NULL;
	unlink_attempt(t);
	t->chain = a->unused;
	a->unused = t;
}

void
attempts_free(struct arena *a)
{
	for (uint32_t i = 0; i < a->exec->settings.max_runs; i++) {
		while (a->locals[i].attempts != NULL)
			attempt_free(a, a->locals[i].attempts);
		free(a->locals[i].fan_at);
	}
	while (a->slabs != NULL) {
		struct slab *slab = a->slabs;

		a->slabs = slab->next;
		free(slab);
	}
}

const struct plan_node *
attempt_plan(const struct attempt *t)
{
	return &plan_nodes(t->local->run.plan)[t->node];
}

struct node_record *
attempt_record(const struct attempt *t)
{
	return attempt_is_element(t) ? &t->fan->block->elements[t->element]
				     : &t->local->run.nodes[t->node];
}

enum node_state
attempt_ended_state(enum outcome_state s)
{
	switch (s) {
	case OUTCOME_SUCCESS:
		return NODE_SUCCESS;
	case OUTCOME_FAILED:
		return NODE_FAILED;
	case OUTCOME_SKIPPED:
		return NODE_SKIPPED;
	case OUTCOME_CANCELLED:
		return NODE_CANCELLED;
	}
	return NODE_FAILED;
}
