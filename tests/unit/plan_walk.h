/* plan_walk.h - reads everything of a plan that passed plan_check, as the
 * executor may; returns a sum so that nothing is optimized away. For tests and
 * fuzzers. */
#ifndef TESTS_PLAN_WALK_H
#define TESTS_PLAN_WALK_H

#include <string.h>

#include "dag/plan.h"
#include "dag/template.h"

static inline uint64_t
walk_template(const struct plan *p, const struct template_value *v)
{
	const struct template_value *parts =
	    (const void *)((const char *)p + (uint32_t)v->offset);
	const struct template_step *steps = (const void *)parts;
	uint64_t sum = v->type, count = v->count;

	switch ((enum template_type)v->type) {
	case TEMPLATE_NULL:
	case TEMPLATE_FALSE:
	case TEMPLATE_TRUE:
	case TEMPLATE_INTEGER:
	case TEMPLATE_NUMBER:
		return sum + (uint64_t)v->integer;
	case TEMPLATE_STRING:
	case TEMPLATE_LUA:
		return sum + strlen((const char *)parts);
	case TEMPLATE_OBJECT:
		count *= 2;
		break;
	case TEMPLATE_ARRAY:
	case TEMPLATE_CONCAT:
		break;
	case TEMPLATE_PATH:
		for (uint32_t i = 0; i < count; i++)
			if (steps[i].kind == STEP_MEMBER)
				sum += strlen(plan_at(p, steps[i].at));
			else if (steps[i].kind == STEP_ROOT &&
				 (steps[i].value == ROOT_NODE_RESULT ||
				     steps[i].value == ROOT_NODE_STATUS))
				sum += strlen(plan_node_name(p, steps[i].at));
		return sum;
	}
	for (uint64_t i = 0; i < count; i++)
		sum += walk_template(p, &parts[i]);
	return sum;
}

static inline uint64_t
walk_plan(const struct plan *p)
{
	const uint32_t *first = plan_at(p, p->successor_index);
	const uint32_t *next = plan_at(p, p->successors);
	const uint32_t *order = plan_at(p, p->order);
	const uint32_t *roots = plan_at(p, p->roots);
	uint64_t sum = 0;
	struct mem m;

	mem_create(&m, 0);
	for (uint32_t i = 0; i < p->op_count; i++)
		sum += strlen(plan_op_name(p, i));
	for (uint32_t i = 0; i < p->root_count; i++)
		sum += plan_nodes(p)[roots[i]].indegree;
	for (uint32_t i = 0; i < p->node_count; i++) {
		const struct plan_node *n = &plan_nodes(p)[order[i]];
		const char *name = plan_node_name(p, i);

		sum += strlen(plan_op_name(p, n->op));
		sum += plan_find(p, name, strlen(name));
		sum += plan_find(p, "no such node", 12);
		sum += plan_retry_on(p, n, "interrupted");
		for (uint32_t k = first[i]; k < first[i + 1]; k++)
			sum += plan_nodes(p)[next[k]].indegree;
		if (i < 50)
			sum +=
			    plan_is_ancestor(p, i, (i * 7) % p->node_count, &m);
		if (n->with != 0)
			sum += walk_template(p, plan_at(p, n->with));
		if (n->when != 0)
			sum += walk_template(p, plan_at(p, n->when));
		if (n->for_each != 0)
			sum += walk_template(p, plan_at(p, n->for_each));
	}
	mem_destroy(&m);
	return sum;
}

#endif
