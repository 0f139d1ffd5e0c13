/* rerun.c - the descendants of what runs again, along the plan's successors. */
#include <stdlib.h>
#include <string.h>

#include "dag/rerun.h"

/* The stored plan, or one that is compiled from the definition; NULL: fault. */
static const struct plan *
plan_get(struct rerun *r)
{
	struct document_limits limits = *r->limits;
	struct document_options options = {.ops = r->ops, .limits = &limits};
	struct document *document;
	struct faults faults;
	struct plan *plan;
	void *copy;

	if (r->plan != NULL && plan_check(r->plan, r->plan_len, &r->fault) == 0)
		return r->plan;
	/* As PostgreSQL prints it, it has more spaces than when it was
	 * measured. */
	limits.bytes = SIZE_MAX;
	faults_create(&faults, r->mem, 1);
	if (document_parse(r->mem, DOCUMENT_JSON, r->definition,
		r->definition_len, &options, &faults, &document) != 0) {
		err_set(&r->fault, "invalid_definition",
		    "The version's definition can't be read any more: %s",
		    faults.kept > 0 ? faults.list[0].message : "out of memory");
		return NULL;
	}
	if ((plan = plan_compile(document, r->ops, &r->fault)) == NULL)
		return NULL;
	if ((copy = mem_alloc(r->mem, plan->size)) != NULL)
		memcpy(copy, plan, plan->size);
	else
		err_memory(&r->fault);
	free(plan);
	return copy;
}

struct walk {
	const struct plan *plan;
	uint8_t *keep;
	uint32_t *stack;
	uint32_t count; /* on the stack */
	uint32_t runs;
};

static void
run_again(struct walk *w, uint32_t node)
{
	if (w->keep[node] == 0)
		return;
	w->keep[node] = 0;
	w->stack[w->count++] = node;
	w->runs++;
}

static void
walk_on(struct walk *w)
{
	const uint32_t *index = plan_at(w->plan, w->plan->successor_index);
	const uint32_t *successors = plan_at(w->plan, w->plan->successors);

	while (w->count > 0) {
		uint32_t node = w->stack[--w->count];

		for (uint32_t s = index[node]; s < index[node + 1]; s++)
			run_again(w, successors[s]);
	}
}

/* By node the letter of its end; 0: it has not ended. NULL: no memory. */
static const char *
states_get(struct rerun *r, uint32_t node_count)
{
	char *states = mem_alloc(r->mem, (size_t)node_count + 1);
	const char *at = r->ended != NULL ? r->ended : "";
	const char *state = r->states != NULL ? r->states : "";

	for (; states != NULL && *at != '\0' && *state != '\0'; state++) {
		char *end;
		unsigned long node = strtoul(at, &end, 10);

		if (node < node_count)
			states[node] = *state;
		at = *end == ',' ? end + 1 : end;
	}
	return states;
}

static enum rerun_outcome
choose(struct rerun *r, struct walk *w, const char *states)
{
	for (size_t i = 0; i < r->name_count; i++) {
		uint32_t node =
		    plan_find(w->plan, r->names[i], strlen(r->names[i]));

		if (node == PLAN_NONE) {
			r->unknown = i;
			return RERUN_UNKNOWN;
		}
		run_again(w, node);
	}
	/* What has no result has none to keep. */
	for (uint32_t i = 0; i < r->node_count; i++)
		if (states[i] == '\0' ||
		    (r->failed && (states[i] == 'f' || states[i] == 'c')))
			run_again(w, i);
	walk_on(w);
	r->runs = w->runs;
	return w->runs > 0 ? RERUN_READY : RERUN_NOTHING;
}

enum rerun_outcome
rerun_choose(struct rerun *r)
{
	struct walk w = {.plan = plan_get(r)};
	const char *states;

	if (w.plan == NULL)
		return RERUN_BROKEN;
	r->node_count = w.plan->node_count;
	r->keep = w.keep = mem_alloc(r->mem, (size_t)r->node_count + 1);
	w.stack =
	    mem_array(r->mem, (size_t)r->node_count + 1, sizeof(*w.stack));
	states = states_get(r, r->node_count);
	if (w.keep == NULL || w.stack == NULL || states == NULL) {
		err_memory(&r->fault);
		return RERUN_BROKEN;
	}
	memset(w.keep, 1, r->node_count);
	return choose(r, &w, states);
}
