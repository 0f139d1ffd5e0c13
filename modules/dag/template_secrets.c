/* template_secrets.c - which secrets a template names. */
#include "dag/secret.h"
#include "dag/template_compile.h"

struct walk {
	const struct plan *plan;
	secret_found found;
	void *ctx;
	uint32_t count;
};

static void
walk_path(struct walk *w, const struct template_value *v)
{
	const struct template_step *s = plan_at(w->plan, (uint32_t)v->offset);

	if (s->value != ROOT_SECRET)
		return;
	w->count++;
	if (w->found != NULL)
		w->found(w->ctx, plan_at(w->plan, s[1].at), s[1].value);
}

static void
walk_value(struct walk *w, const struct template_value *v)
{
	const struct template_value *parts;
	uint32_t count = v->count;

	if (v->type == TEMPLATE_PATH)
		walk_path(w, v);
	if (v->type == TEMPLATE_OBJECT)
		count *= 2;
	else if (v->type != TEMPLATE_ARRAY && v->type != TEMPLATE_CONCAT)
		return;
	parts = plan_at(w->plan, (uint32_t)v->offset);
	for (uint32_t i = 0; i < count; i++)
		walk_value(w, &parts[i]);
}

uint32_t
template_secrets(
    const struct plan *p, uint32_t offset, secret_found found, void *ctx)
{
	struct walk w = {p, found, ctx, 0};

	if (offset != 0)
		walk_value(&w, template_at(p, offset));
	return w.count;
}

uint32_t
plan_secrets(const struct plan *p, uint32_t node, secret_found found, void *ctx)
{
	const struct plan_node *n = &plan_nodes(p)[node];

	if ((n->flags & PLAN_NODE_SECRET) == 0)
		return 0;
	return template_secrets(p, n->with, found, ctx);
}
