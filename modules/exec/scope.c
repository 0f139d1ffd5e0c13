/* scope.c - what expressions see of a run: read on compute threads, too, while
 * the run goes on. A node's output never changes once the node has ended. */
#include "exec/arena.h"

static const char *
scope_context(const struct scope *s, size_t *len)
{
	const struct local *l = s->run;
	const struct text *t = &l->arena->exec->slots.list[l->slot].context;

	*len = t->len;
	return shm_at(&l->arena->exec->shm, t->at);
}

static const char *
scope_result(const struct scope *s, uint32_t node, size_t *len)
{
	const struct local *l = s->run;
	const struct node_record *n = &l->run.nodes[node];

	*len = 0;
	if (node_state(n) < NODE_SUCCESS)
		return NULL;
	return output_text(
	    output_at(&l->arena->exec->shm, n->output), OUTPUT_RESULT, len);
}

static const char *
scope_status(const struct scope *s, uint32_t node)
{
	const struct local *l = s->run;

	switch (node_state(&l->run.nodes[node])) {
	case NODE_SUCCESS:
		return "success";
	case NODE_FAILED:
		return "failed";
	case NODE_SKIPPED:
		return "skipped";
	case NODE_CANCELLED:
		return "cancelled";
	case NODE_PENDING:
	case NODE_RUNNING:
	case NODE_RETRY:
		break;
	}
	return NULL;
}

struct scope
local_scope(struct local *l)
{
	const struct slot *slot = &l->arena->exec->slots.list[l->slot];

	return (struct scope){.plan = l->run.plan,
	    .organization = slot->organization,
	    .allowed = slot->allowed,
	    .execution = l->arena->exec->slots.ids[l->slot],
	    .run = l,
	    .context = scope_context,
	    .result = scope_result,
	    .status = scope_status};
}
