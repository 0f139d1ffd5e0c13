/* plan_check.c - is it a plan? Demands the very layout that plan_compile
 * writes; the checksum only finds rot, the rest does not trust it. */
#include "dag/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "dag/plan_layout.h"
#include "dag/template_compile.h"

struct checker {
	const struct plan *p;
	const uint32_t *first, *next;	  /* successors */
	const uint32_t *dep_first, *deps; /* dependencies */
	const uint32_t *roots, *order, *names;
	uint32_t *scratch; /* one number per node */
};

/* Header ------------------------------------------------------------------ */

static const char *
check_header(const struct plan *p, size_t len)
{
	struct plan expected;

	if (p->size != len || len > UINT32_MAX)
		return "its size is wrong";
	if (p->checksum != plan_checksum(p, len))
		return "its checksum is wrong";
	expected = *p;
	if (p->node_count == 0 || plan_layout(&expected) == 0 ||
	    expected.blob > len)
		return "its tables don't fit";
	if (memcmp(p, &expected, sizeof(expected)) != 0)
		return "its tables are not where they belong";
	if (p->timeout_ns < 0)
		return "its timeout is negative";
	if (p->durability >= DURABILITY_COUNT)
		return "its durability is unknown";
	if (p->priority < PRIORITY_MIN || p->priority > PRIORITY_MAX)
		return "its priority is out of range";
	return NULL;
}

/* Graph ------------------------------------------------------------------- */

static bool
check_index(const uint32_t *first, uint32_t nodes, uint32_t edges)
{
	if (first[0] != 0 || first[nodes] != edges)
		return false;
	for (uint32_t i = 0; i < nodes; i++)
		if (first[i] > first[i + 1])
			return false;
	return true;
}

static bool
check_dependencies(const struct checker *c)
{
	for (uint32_t i = 0; i < c->p->node_count; i++)
		for (uint32_t k = c->dep_first[i]; k < c->dep_first[i + 1]; k++)
			if (c->deps[k] >= c->p->node_count ||
			    (k > c->dep_first[i] &&
				c->deps[k] <= c->deps[k - 1]))
				return false;
	return true;
}

/* The successors must be the dependencies turned round. */
static bool
check_successors(struct checker *c)
{
	uint32_t *filled = c->scratch;

	memcpy(filled, c->first, c->p->node_count * sizeof(*filled));
	for (uint32_t i = 0; i < c->p->node_count; i++)
		for (uint32_t k = c->dep_first[i]; k < c->dep_first[i + 1];
		     k++) {
			uint32_t from = c->deps[k];

			if (filled[from] >= c->first[from + 1] ||
			    c->next[filled[from]++] != i)
				return false;
		}
	return true;
}

/* Each node once, after all its dependencies. */
static bool
check_order(struct checker *c)
{
	uint32_t n = c->p->node_count, *place = c->scratch;

	memset(place, 0, n * sizeof(*place));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t node = c->order[i];

		if (node >= n || place[node] != 0)
			return false;
		place[node] = i + 1;
		for (uint32_t k = c->dep_first[node];
		     k < c->dep_first[node + 1]; k++)
			if (place[c->deps[k]] == 0)
				return false;
	}
	return true;
}

static bool
check_roots(const struct checker *c)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < c->p->node_count; i++) {
		if (c->dep_first[i] != c->dep_first[i + 1])
			continue;
		if (found == c->p->root_count || c->roots[found++] != i)
			return false;
	}
	return found == c->p->root_count;
}

/* Each node once; the table is at most half full, so a search ends. */
static bool
check_names(struct checker *c)
{
	uint32_t n = c->p->node_count, found = 0;

	memset(c->scratch, 0, n * sizeof(*c->scratch));
	for (uint64_t i = 0; i <= c->p->names_mask; i++) {
		uint32_t node = c->names[i];

		if (node == 0)
			continue;
		if (node > n || c->scratch[node - 1]++ != 0)
			return false;
		found++;
	}
	return found == n;
}

static const char *
check_graph(struct checker *c)
{
	const struct plan *p = c->p;

	if (!check_index(c->first, p->node_count, p->edge_count) ||
	    !check_index(c->dep_first, p->node_count, p->edge_count) ||
	    !check_dependencies(c))
		return "its dependencies are broken";
	if (!check_successors(c))
		return "its successors are broken";
	if (!check_order(c))
		return "its order is broken";
	if (!check_roots(c))
		return "its roots are broken";
	if (!check_names(c))
		return "its table of names is broken";
	return NULL;
}

/* Nodes and blob ---------------------------------------------------------- */

/* A string without padding at the cursor. */
static bool
check_string(const struct plan *p, uint32_t offset, uint64_t *cursor)
{
	const char *s = (const char *)p + *cursor, *end;

	if (offset != *cursor || *cursor >= p->size)
		return false;
	end = memchr(s, '\0', p->size - *cursor);
	if (end == NULL || end == s ||
	    utf8_valid(s, (size_t)(end - s)) != (size_t)(end - s))
		return false;
	*cursor += (uint64_t)(end - s) + 1;
	return true;
}

/* Codes, each more than the one before. */
static bool
check_retry_on(const struct plan *p, uint32_t offset, uint64_t *cursor)
{
	const char *word = "", *next;
	size_t before = 0, len, most;

	if (offset == 0)
		return true;
	if (!check_string(p, offset, cursor))
		return false;
	next = plan_at(p, offset);
	for (unsigned words = 1; words <= RETRY_ON_MAX; words++) {
		len = strspn(next, "abcdefghijklmnopqrstuvwxyz_");
		most = len < before ? len : before;
		if (len == 0 || len > RETRY_CODE_MAX ||
		    (words > 1 &&
			(strncmp(word, next, most) > 0 ||
			    (strncmp(word, next, most) == 0 && len <= before))))
			return false;
		if (next[len] == '\0')
			return true;
		if (next[len] != ' ')
			return false;
		word = next;
		before = len;
		next += len + 1;
	}
	return false;
}

static bool
check_pool(const struct plan *p, uint32_t offset, uint64_t *cursor)
{
	const char *s = (const char *)p + *cursor;

	return check_string(p, offset, cursor) &&
	       pool_name_is_valid(s, strlen(s));
}

static bool
check_strings(const struct plan *p, uint64_t *cursor)
{
	const uint32_t *ops = plan_at(p, p->ops);

	for (uint32_t i = 0; i < p->op_count; i++)
		if (!check_string(p, ops[i], cursor))
			return false;
	for (uint32_t i = 0; i < p->node_count; i++)
		if (!check_string(p, plan_nodes(p)[i].name, cursor))
			return false;
	for (uint32_t i = 0; i < p->node_count; i++)
		if (!check_retry_on(p, plan_nodes(p)[i].retry_on, cursor))
			return false;
	for (uint32_t i = 0; i < p->node_count; i++)
		if (plan_nodes(p)[i].pool != 0 &&
		    !check_pool(p, plan_nodes(p)[i].pool, cursor))
			return false;
	*cursor = (*cursor + 7) & ~UINT64_C(7);
	return *cursor <= p->size;
}

static bool
check_numbers(const struct plan_node *n)
{
	return n->trigger <= TRIGGER_NONE_FAILED && n->retry_limit <= 100 &&
	       n->timeout_ns >= 0 && n->retry_backoff_ns > 0 &&
	       n->retry_max_ns >= n->retry_backoff_ns && n->retry_factor >= 1 &&
	       n->retry_factor <= 1000 && n->retry_jitter >= 0 &&
	       n->retry_jitter <= 1 && n->concurrency <= CONCURRENCY_MAX &&
	       (n->concurrency > 0) == (n->for_each != 0);
}

/* No secrets in it, and one of the given types. */
static bool
check_expression(
    const struct plan *p, uint32_t offset, bool list, uint64_t *cursor)
{
	const struct template_value *v = template_at(p, offset);
	bool ignored;

	if (offset != *cursor ||
	    !template_check(p, p->size, cursor, false, &ignored) ||
	    template_secrets(p, offset, NULL, NULL) > 0)
		return false;
	return v->type == TEMPLATE_PATH || v->type == TEMPLATE_LUA ||
	       (list && v->type == TEMPLATE_ARRAY);
}

static bool
check_templates(const struct plan *p, const struct plan_node *n,
    uint64_t *cursor, bool *is_static)
{
	*is_static = true;
	if (n->with != 0 &&
	    (n->with != *cursor ||
		!template_check(
		    p, p->size, cursor, n->for_each != 0, is_static) ||
		template_at(p, n->with)->type != TEMPLATE_OBJECT))
		return false;
	if (n->when != 0 && !check_expression(p, n->when, false, cursor))
		return false;
	return n->for_each == 0 ||
	       check_expression(p, n->for_each, true, cursor);
}

static bool
check_node(const struct checker *c, uint32_t i, uint64_t *cursor)
{
	const struct plan_node *n = &plan_nodes(c->p)[i];
	uint8_t flags = 0;
	bool is_static;

	if (n->op >= c->p->op_count || !check_numbers(n) ||
	    n->indegree != c->dep_first[i + 1] - c->dep_first[i] ||
	    !check_templates(c->p, n, cursor, &is_static))
		return false;
	if (n->when == 0 && n->for_each == 0 && n->pool == 0 &&
	    strcmp(plan_op_name(c->p, n->op), "noop") == 0)
		flags |= PLAN_NODE_PURE;
	if (is_static)
		flags |= PLAN_NODE_STATIC;
	if (c->first[i] == c->first[i + 1])
		flags |= PLAN_NODE_LEAF;
	if (template_secrets(c->p, n->with, NULL, NULL) > 0)
		flags |= PLAN_NODE_SECRET;
	if (n->retry_on != 0 && !plan_retry_on(c->p, n, RETRY_INTERRUPTED))
		flags |= PLAN_NODE_ONCE;
	return n->flags == flags;
}

static const char *
check_blob(const struct checker *c)
{
	uint64_t cursor = c->p->blob;

	if (!check_strings(c->p, &cursor))
		return "its names are broken";
	for (uint32_t i = 0; i < c->p->node_count; i++)
		if (!check_node(c, i, &cursor))
			return "a node is broken";
	return cursor == c->p->size ? NULL : "it has bytes too many";
}

static const char *
check_all(const struct plan *p, size_t len)
{
	struct checker c = {.p = p};
	const char *why = check_header(p, len);

	if (why != NULL)
		return why;
	c.first = plan_at(p, p->successor_index);
	c.next = plan_at(p, p->successors);
	c.dep_first = plan_at(p, p->dependency_index);
	c.deps = plan_at(p, p->dependencies);
	c.roots = plan_at(p, p->roots);
	c.order = plan_at(p, p->order);
	c.names = plan_at(p, p->names);
	c.scratch = mem_heap(p->node_count * sizeof(*c.scratch));
	if (c.scratch == NULL)
		return "";
	why = check_graph(&c);
	if (why == NULL)
		why = check_blob(&c);
	free(c.scratch);
	return why;
}

int
plan_check(const void *bytes, size_t len, struct err *e)
{
	const struct plan *p = bytes;
	const char *why;

	if (len < sizeof(*p) || ((uintptr_t)bytes & 7) != 0 ||
	    p->magic != PLAN_MAGIC)
		return err_set(e, "corrupted_plan", "This is no plan.");
	if (p->version != PLAN_VERSION)
		return err_set(e, "plan_version",
		    "The plan has version %u, this program reads %d.",
		    p->version, PLAN_VERSION);
	why = check_all(p, len);
	if (why == NULL)
		return 0;
	if (why[0] == '\0')
		return err_memory(e);
	return err_set(e, "corrupted_plan", "The plan is corrupted: %s.", why);
}
