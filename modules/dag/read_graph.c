/* read_graph.c - what holds between nodes: names, dependencies, no cycles, and
 * that expressions only look at ancestors. */
#include "dag/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Names ------------------------------------------------------------------- */

static uint32_t *
name_slot(const struct reader *r, const char *name, size_t len)
{
	uint64_t h = hash_sip(r->key, name, len);

	for (uint32_t i = (uint32_t)h & r->names_mask;;
	     i = (i + 1) & r->names_mask) {
		uint32_t *slot = &r->names[i];

		if (*slot == 0)
			return slot;
		if (strncmp(r->doc->nodes[*slot - 1].name, name, len) == 0 &&
		    r->doc->nodes[*slot - 1].name[len] == '\0')
			return slot;
	}
}

uint32_t
find_node(const struct reader *r, const char *name, size_t len)
{
	if (memchr(name, '\0', len) != NULL)
		return NO_NODE;
	return *name_slot(r, name, len) - 1;
}

void
read_names(struct reader *r)
{
	struct document *d = r->doc;
	uint32_t size = 4;

	while (size < d->node_count * 2)
		size *= 2;
	r->names = mem_array(r->mem, size, sizeof(*r->names));
	if (r->names == NULL)
		return;
	r->names_mask = size - 1;
	for (uint32_t i = 0; i < d->node_count; i++) {
		const char *name = d->nodes[i].name;
		uint32_t *slot;

		if (name == NULL)
			continue;
		slot = name_slot(r, name, strlen(name));
		if (*slot != 0)
			fault_at(r, i, json_get(d->nodes[i].source, "name"),
			    "duplicate_node",
			    "Another node has the name \"%s\" too.", name);
		else
			*slot = i + 1;
	}
}

/* Dependencies ------------------------------------------------------------ */

static void
read_dependency(struct reader *r, uint32_t node, const struct json *v)
{
	struct document_node *n = &r->doc->nodes[node];
	uint32_t target;

	if (v->type != JSON_STRING) {
		fault_at(r, node, v, "invalid_type",
		    "A dependency is the name of a node.");
		return;
	}
	target = find_node(r, v->string, v->count);
	if (target == NO_NODE) {
		fault_at(r, node, v, "unknown_dependency",
		    "There is no node \"%.200s\".", v->string);
	} else if (target == node) {
		fault_at(r, node, v, "self_dependency",
		    "The node \"%s\" depends on itself.", v->string);
	} else if (r->seen[target] == node + 1) {
		fault_at(r, node, v, "duplicate_dependency",
		    "\"%s\" is named twice.", v->string);
	} else {
		r->seen[target] = node + 1;
		n->dependencies[n->dependency_count++] = target;
	}
}

static int
compare_indexes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
read_node_dependencies(struct reader *r, uint32_t node)
{
	struct document_node *n = &r->doc->nodes[node];
	const struct json *v = read_optional(n->source, "dependencies");

	if (v == NULL)
		return;
	if (v->type != JSON_ARRAY) {
		fault_at(r, node, v, "invalid_type",
		    "\"dependencies\" must be a list of names of nodes.");
		return;
	}
	n->dependencies = mem_array(r->mem, v->count, sizeof(uint32_t));
	if (n->dependencies == NULL)
		return;
	for (uint32_t i = 0; i < v->count; i++)
		read_dependency(r, node, v->items[i]);
	qsort(n->dependencies, n->dependency_count, sizeof(uint32_t),
	    compare_indexes);
	r->doc->dependency_count += n->dependency_count;
}

bool
read_dependencies(struct reader *r)
{
	const struct json *nodes = json_get(r->root, "nodes");
	uint64_t total = 0;

	for (uint32_t i = 0; i < nodes->count; i++) {
		const struct json *v =
		    json_get(nodes->items[i], "dependencies");

		if (v != NULL && v->type == JSON_ARRAY)
			total += v->count;
	}
	if (total > r->limits->dependencies) {
		fault_at(r, NO_NODE, nodes, "too_many_dependencies",
		    "%llu dependencies are more than the limit of %u.",
		    (unsigned long long)total, r->limits->dependencies);
		return false;
	}
	for (uint32_t i = 0; i < nodes->count && !mem_failed(r->mem); i++)
		read_node_dependencies(r, i);
	return !mem_failed(r->mem);
}

/* Order and cycles -------------------------------------------------------- */

struct graph {
	uint32_t *first; /* successors of i: next[first[i]..first[i+1]] */
	uint32_t *next;
	uint32_t *waiting; /* dependencies not yet in the order */
	uint32_t done;
};

static bool
make_graph(struct reader *r, struct graph *g)
{
	const struct document *d = r->doc;

	g->first = mem_array(r->mem, (size_t)d->node_count + 2, 4);
	g->next = mem_array(r->mem, d->dependency_count, 4);
	g->waiting = mem_array(r->mem, d->node_count, 4);
	g->done = 0;
	if (g->first == NULL || g->next == NULL || g->waiting == NULL)
		return false;
	/* first is filled two places ahead, so that filling next moves it one
	 * back into place */
	for (uint32_t i = 0; i < d->node_count; i++)
		for (uint32_t k = 0; k < d->nodes[i].dependency_count; k++)
			g->first[d->nodes[i].dependencies[k] + 2]++;
	for (uint32_t i = 2; i < d->node_count + 2; i++)
		g->first[i] += g->first[i - 1];
	for (uint32_t i = 0; i < d->node_count; i++) {
		g->waiting[i] = d->nodes[i].dependency_count;
		for (uint32_t k = 0; k < d->nodes[i].dependency_count; k++)
			g->next[g->first[d->nodes[i].dependencies[k] + 1]++] =
			    i;
	}
	return true;
}

/* Kahn's algorithm from order[from] on: whatever stands there frees its
 * successors. */
static void
extend_order(const struct document *d, struct graph *g, uint32_t from)
{
	for (uint32_t i = from; i < g->done; i++) {
		uint32_t node = d->order[i];

		for (uint32_t k = g->first[node]; k < g->first[node + 1]; k++) {
			uint32_t next = g->next[k];

			/* none left: a cycle was cut open here */
			if (g->waiting[next] > 0 && --g->waiting[next] == 0)
				d->order[g->done++] = next;
		}
	}
}

/* A dependency of the node that is not in the order either. */
static uint32_t
stuck_dependency(const struct document *d, const struct graph *g, uint32_t node)
{
	const struct document_node *n = &d->nodes[node];

	for (uint32_t k = 0; k < n->dependency_count; k++)
		if (g->waiting[n->dependencies[k]] > 0)
			return n->dependencies[k];
	return node;
}

/* path holds the cycle, each node being a dependency of the one before it;
 * shown in the order of running. */
static void
report_cycle(struct reader *r, const uint32_t *path, uint32_t count)
{
	const struct document_node *nodes = r->doc->nodes;
	uint32_t shown = 0, first = path[count - 1];
	const struct json *at = json_get(nodes[first].source, "dependencies");
	struct buf text;

	buf_create(&text, 0);
	while (shown < count && (text.len < 300 || shown == 0))
		buf_printf(
		    &text, "%s -> ", nodes[path[count - 1 - shown++]].name);
	if (shown < count)
		buf_printf(&text, "(%u more nodes) -> ", count - shown);
	buf_puts(&text, nodes[first].name);
	if (buf_failed(&text))
		fault_memory(r);
	else
		fault_at(
		    r, first, at, "cycle", "There is a cycle: %s", text.data);
	buf_free(&text);
}

/* Walks dependencies from a stuck node until one comes again. */
static uint32_t
find_cycle(struct reader *r, const struct graph *g, uint32_t start,
    uint32_t *path, uint32_t *step)
{
	uint32_t n = 0, node = start, lowest = 0, count;

	memset(step, 0, r->doc->node_count * sizeof(*step));
	while (step[node] == 0) {
		path[n++] = node;
		step[node] = n;
		node = stuck_dependency(r->doc, g, node);
	}
	count = n - (step[node] - 1);
	memmove(path, path + step[node] - 1, count * sizeof(*path));
	/* the same cycle reads the same wherever the walk entered it: its
	 * first node in the document comes last in path */
	for (uint32_t i = 1; i < count; i++)
		if (path[i] < path[lowest])
			lowest = i;
	for (uint32_t i = 0; i < count; i++)
		step[i] = path[(lowest + 1 + i) % count];
	memcpy(path, step, count * sizeof(*path));
	return count;
}

/* Reports cycles one by one, cutting each open at its first node, at most as
 * many as somebody will read. */
static void
read_cycles(struct reader *r, struct graph *g)
{
	struct document *d = r->doc;
	uint32_t *path = mem_array(r->mem, d->node_count, 4);
	uint32_t *step = mem_array(r->mem, d->node_count, 4);
	uint32_t node = 0;

	if (path == NULL || step == NULL)
		return;
	for (int found = 0; found < 10 && g->done < d->node_count; found++) {
		uint32_t count, from = g->done;

		while (g->waiting[node] == 0)
			node++;
		count = find_cycle(r, g, node, path, step);
		report_cycle(r, path, count);
		g->waiting[path[count - 1]] = 0;
		d->order[g->done++] = path[count - 1];
		extend_order(d, g, from);
	}
}

void
read_order(struct reader *r)
{
	struct document *d = r->doc;
	struct graph g;

	d->order = mem_array(r->mem, d->node_count, 4);
	if (d->order == NULL || !make_graph(r, &g))
		return;
	for (uint32_t i = 0; i < d->node_count; i++)
		if (g.waiting[i] == 0)
			d->order[g.done++] = i;
	extend_order(d, &g, 0);
	r->ordered = g.done == d->node_count;
	if (!r->ordered)
		read_cycles(r, &g);
}
