/* plan.c - lays a document out as a plan, and finds things in one. */
#include "dag/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "dag/plan_layout.h"
#include "dag/template_compile.h"

_Static_assert(sizeof(struct plan) == 104, "plan.h: change PLAN_VERSION");
_Static_assert(sizeof(struct plan_node) == 72, "plan.h: change PLAN_VERSION");

/* Layout ------------------------------------------------------------------ */

uint32_t
plan_layout(struct plan *p)
{
	uint64_t n = p->node_count, size = 4, at = sizeof(*p);
	struct {
		uint32_t *offset;
		uint64_t bytes;
	} tables[] = {
	    {&p->nodes, n * sizeof(struct plan_node)},
	    {&p->successor_index, (n + 1) * 4},
	    {&p->successors, (uint64_t)p->edge_count * 4},
	    {&p->dependency_index, (n + 1) * 4},
	    {&p->dependencies, (uint64_t)p->edge_count * 4},
	    {&p->roots, (uint64_t)p->root_count * 4},
	    {&p->order, n * 4},
	    {&p->ops, (uint64_t)p->op_count * 4},
	    {&p->names, 0},
	};
	size_t count = sizeof(tables) / sizeof(tables[0]);

	while (size < n * 2)
		size *= 2;
	p->names_mask = (uint32_t)(size - 1);
	tables[count - 1].bytes = size * 4;
	for (size_t i = 0; i < count; i++) {
		*tables[i].offset = (uint32_t)at;
		at += (tables[i].bytes + 7) & ~UINT64_C(7);
	}
	p->blob = at <= UINT32_MAX ? (uint32_t)at : 0;
	return p->blob;
}

uint64_t
plan_name_hash(uint32_t seed, const char *name, size_t len)
{
	struct hash_key key = {PLAN_MAGIC, seed};

	return hash_sip(key, name, len);
}

uint32_t
plan_checksum(const struct plan *p, size_t len)
{
	size_t at = offsetof(struct plan, checksum);
	uint32_t zero = 0, crc = hash_crc32c(0, p, at);

	crc = hash_crc32c(crc, &zero, sizeof(zero));
	at += sizeof(zero);
	return hash_crc32c(crc, (const char *)p + at, len - at);
}

/* Compiling --------------------------------------------------------------- */

/* The block grows while it is written, so pointers into it are taken anew
 * after each append. */
struct compiler {
	const struct document *doc;
	const struct op_set *ops;
	struct buf out;
	uint32_t *op_index; /* by op of the set: index in the plan + 1 */
};

static struct plan *
plan_of(struct compiler *c)
{
	return (struct plan *)(void *)c->out.data;
}

static uint32_t *
table(struct compiler *c, uint32_t offset)
{
	return (uint32_t *)(void *)(c->out.data + offset);
}

static struct plan_node *
node_at(struct compiler *c, uint32_t i)
{
	return (struct plan_node *)(void *)(c->out.data + plan_of(c)->nodes) +
	       i;
}

/* Numbers the ops in the order of their first use. */
static void
count_things(struct compiler *c, struct plan *p)
{
	const struct document *d = c->doc;

	p->magic = PLAN_MAGIC;
	p->version = PLAN_VERSION;
	p->timeout_ns = d->timeout_ns;
	p->durability = (uint32_t)d->durability;
	p->priority = d->priority;
	p->node_count = d->node_count;
	p->edge_count = d->dependency_count;
	for (uint32_t i = 0; i < d->node_count; i++) {
		p->root_count += d->nodes[i].dependency_count == 0;
		if (c->op_index[d->nodes[i].op] == 0)
			c->op_index[d->nodes[i].op] = ++p->op_count;
	}
}

/* The header and zeroed tables; false: too large or no memory. */
static bool
put_tables(struct compiler *c, struct err *e)
{
	struct plan p = {.magic = 0};
	static const char zeros[4096];

	count_things(c, &p);
	if (plan_layout(&p) == 0) {
		err_set(e, "plan_too_large", "The plan is over 4 GiB.");
		return false;
	}
	buf_put(&c->out, &p, sizeof(p));
	while (c->out.len < p.blob && !buf_failed(&c->out)) {
		size_t rest = p.blob - c->out.len;

		buf_put(&c->out, zeros,
		    rest < sizeof(zeros) ? rest : sizeof(zeros));
	}
	if (buf_failed(&c->out))
		err_memory(e);
	return !buf_failed(&c->out);
}

static void
fill_graph(struct compiler *c)
{
	const struct document *d = c->doc;
	const struct plan *p = plan_of(c);
	uint32_t n = d->node_count, edge = 0, root = 0;
	uint32_t *first = table(c, p->successor_index);
	uint32_t *next = table(c, p->successors);
	uint32_t *dep_first = table(c, p->dependency_index);
	uint32_t *deps = table(c, p->dependencies);
	uint32_t *roots = table(c, p->roots);

	for (uint32_t i = 0; i < n; i++) {
		const struct document_node *node = &d->nodes[i];

		if (node->dependency_count == 0)
			roots[root++] = i;
		for (uint32_t k = 0; k < node->dependency_count; k++) {
			deps[edge++] = node->dependencies[k];
			first[node->dependencies[k] + 1]++;
		}
		dep_first[i + 1] = edge;
	}
	for (uint32_t i = 0; i < n; i++)
		first[i + 1] += first[i];
	/* first[i] moves to the end of its row, then all move one back */
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = dep_first[i]; k < dep_first[i + 1]; k++)
			next[first[deps[k]]++] = i;
	memmove(first + 1, first, n * sizeof(*first));
	first[0] = 0;
	memcpy(table(c, p->order), d->order, n * sizeof(uint32_t));
}

static void
fill_nodes(struct compiler *c)
{
	const struct document *d = c->doc;
	const uint32_t *first = table(c, plan_of(c)->successor_index);

	for (uint32_t i = 0; i < d->node_count; i++) {
		const struct document_node *from = &d->nodes[i];
		struct plan_node *to = node_at(c, i);
		const char *op = c->ops->ops[from->op]->name;

		to->op = c->op_index[from->op] - 1;
		to->indegree = from->dependency_count;
		to->trigger = (uint8_t)from->trigger;
		to->concurrency = from->concurrency;
		if (strcmp(op, "noop") == 0 && from->when == NULL &&
		    from->for_each == NULL && from->pool == NULL)
			to->flags |= PLAN_NODE_PURE;
		if (first[i] == first[i + 1])
			to->flags |= PLAN_NODE_LEAF;
		to->retry_limit = (uint16_t)from->retry.limit;
		to->timeout_ns = from->timeout_ns;
		to->retry_backoff_ns = from->retry.backoff_ns;
		to->retry_max_ns = from->retry.max_ns;
		to->retry_factor = (float)from->retry.factor;
		to->retry_jitter = (float)from->retry.jitter;
	}
}

static void
put_op_names(struct compiler *c)
{
	for (uint32_t k = 0; k < plan_of(c)->op_count; k++) {
		size_t i = 0;

		while (c->op_index[i] != k + 1)
			i++;
		table(c, plan_of(c)->ops)[k] = (uint32_t)c->out.len;
		buf_put(&c->out, c->ops->ops[i]->name,
		    strlen(c->ops->ops[i]->name) + 1);
		if (buf_failed(&c->out))
			return;
	}
}

static void
put_node_names(struct compiler *c)
{
	size_t start = c->out.len;

	for (uint32_t i = 0; i < c->doc->node_count; i++) {
		const char *name = c->doc->nodes[i].name;

		node_at(c, i)->name = (uint32_t)c->out.len;
		buf_put(&c->out, name, strlen(name) + 1);
		if (buf_failed(&c->out))
			return;
	}
	/* A seed that depends on all names: nobody can choose names that
	 * collide under it. */
	plan_of(c)->names_seed =
	    hash_crc32c(0, c->out.data + start, c->out.len - start);
}

static void
put_retry_on(struct compiler *c)
{
	for (uint32_t i = 0; i < c->doc->node_count; i++) {
		const struct retry *retry = &c->doc->nodes[i].retry;
		bool interrupted = false;
		uint32_t at = (uint32_t)c->out.len;

		if (retry->on_count == 0)
			continue;
		for (uint32_t k = 0; k < retry->on_count; k++) {
			if (k > 0)
				buf_putc(&c->out, ' ');
			buf_puts(&c->out, retry->on[k]);
			interrupted =
			    interrupted ||
			    strcmp(retry->on[k], RETRY_INTERRUPTED) == 0;
		}
		buf_putc(&c->out, '\0');
		if (buf_failed(&c->out))
			return;
		node_at(c, i)->retry_on = at;
		if (!interrupted)
			node_at(c, i)->flags |= PLAN_NODE_ONCE;
	}
}

static void
put_pool_names(struct compiler *c)
{
	for (uint32_t i = 0; i < c->doc->node_count; i++) {
		const char *pool = c->doc->nodes[i].pool;

		if (pool == NULL)
			continue;
		node_at(c, i)->pool = (uint32_t)c->out.len;
		buf_put(&c->out, pool, strlen(pool) + 1);
		if (buf_failed(&c->out))
			return;
	}
}

static void
fill_names(struct compiler *c)
{
	const struct plan *p = plan_of(c);
	uint32_t *names = table(c, p->names);

	for (uint32_t i = 0; i < p->node_count; i++) {
		const char *name = c->doc->nodes[i].name;
		uint32_t at =
		    (uint32_t)plan_name_hash(p->names_seed, name, strlen(name));

		for (at &= p->names_mask; names[at] != 0;)
			at = (at + 1) & p->names_mask;
		names[at] = i + 1;
	}
}

static void
put_templates(struct compiler *c)
{
	for (uint32_t i = 0; i < c->doc->node_count; i++) {
		const struct document_node *n = &c->doc->nodes[i];
		bool is_static = true;
		uint32_t with = 0, when = 0, list = 0;

		if (n->with != NULL)
			with = template_put(&c->out, c->ops->ops[n->op],
			    n->with, n->for_each != NULL, &is_static);
		if (n->when != NULL)
			when = template_put_expression(
			    &c->out, n->when, strlen(n->when));
		if (n->for_each != NULL)
			list = template_put_list(&c->out, n->for_each);
		if (buf_failed(&c->out))
			return;
		node_at(c, i)->with = with;
		node_at(c, i)->when = when;
		node_at(c, i)->for_each = list;
		if (is_static)
			node_at(c, i)->flags |= PLAN_NODE_STATIC;
		else if (template_secrets(plan_of(c), with, NULL, NULL) > 0)
			node_at(c, i)->flags |= PLAN_NODE_SECRET;
	}
}

static bool
put_blob(struct compiler *c)
{
	put_op_names(c);
	if (!buf_failed(&c->out))
		put_node_names(c);
	if (!buf_failed(&c->out))
		put_retry_on(c);
	if (!buf_failed(&c->out))
		put_pool_names(c);
	if (buf_failed(&c->out))
		return false;
	fill_names(c);
	template_align(&c->out);
	put_templates(c);
	return !buf_failed(&c->out);
}

static struct plan *
compile(struct compiler *c, struct err *e)
{
	struct plan *p;
	size_t len;

	if (!put_tables(c, e))
		return NULL;
	fill_graph(c);
	fill_nodes(c);
	if (!put_blob(c)) {
		err_memory(e);
		return NULL;
	}
	len = c->out.len;
	p = (struct plan *)(void *)buf_take(&c->out, NULL);
	p->size = len;
	p->checksum = plan_checksum(p, len);
	return p;
}

struct plan *
plan_compile(const struct document *d, const struct op_set *ops, struct err *e)
{
	struct compiler c = {.doc = d, .ops = ops};
	struct plan *p = NULL;

	buf_create(&c.out, UINT32_MAX - 64);
	c.op_index = mem_heap(ops->count * sizeof(*c.op_index));
	if (c.op_index == NULL) {
		err_memory(e);
	} else {
		memset(c.op_index, 0, ops->count * sizeof(*c.op_index));
		p = compile(&c, e);
	}
	free(c.op_index);
	buf_free(&c.out);
	return p;
}

/* Finding ----------------------------------------------------------------- */

const char *
plan_node_name(const struct plan *p, uint32_t node)
{
	return plan_at(p, plan_nodes(p)[node].name);
}

const char *
plan_op_name(const struct plan *p, uint32_t op)
{
	const uint32_t *ops = plan_at(p, p->ops);

	return plan_at(p, ops[op]);
}

bool
plan_retry_on(
    const struct plan *p, const struct plan_node *node, const char *code)
{
	size_t len = code == NULL ? 0 : strlen(code);
	const char *at;

	if (node->retry_on == 0 || len == 0)
		return false;
	for (at = plan_at(p, node->retry_on);;) {
		size_t word = strcspn(at, " ");

		if (word == len && memcmp(at, code, len) == 0)
			return true;
		if (at[word] == '\0')
			return false;
		at += word + 1;
	}
}

uint32_t
plan_find(const struct plan *p, const char *name, size_t len)
{
	const uint32_t *names = plan_at(p, p->names);
	uint32_t at = (uint32_t)plan_name_hash(p->names_seed, name, len);

	if (memchr(name, '\0', len) != NULL)
		return PLAN_NONE;
	for (at &= p->names_mask; names[at] != 0;
	     at = (at + 1) & p->names_mask) {
		const char *found = plan_node_name(p, names[at] - 1);

		if (strncmp(found, name, len) == 0 && found[len] == '\0')
			return names[at] - 1;
	}
	return PLAN_NONE;
}

bool
plan_is_ancestor(
    const struct plan *p, uint32_t node, uint32_t ancestor, struct mem *m)
{
	const uint32_t *first = plan_at(p, p->dependency_index);
	const uint32_t *deps = plan_at(p, p->dependencies);
	uint32_t *stack = mem_array(m, p->node_count, sizeof(*stack));
	bool *seen = mem_array(m, p->node_count, sizeof(*seen));
	uint32_t depth = 0;

	if (stack == NULL || seen == NULL || ancestor >= p->node_count ||
	    node >= p->node_count)
		return false;
	stack[depth++] = node;
	while (depth > 0) {
		uint32_t at = stack[--depth];

		for (uint32_t k = first[at]; k < first[at + 1]; k++) {
			if (deps[k] == ancestor)
				return true;
			if (seen[deps[k]])
				continue;
			seen[deps[k]] = true;
			stack[depth++] = deps[k];
		}
	}
	return false;
}
