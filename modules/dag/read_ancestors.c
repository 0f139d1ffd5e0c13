/* read_ancestors.c - are the nodes that expressions look at ancestors?
 *
 * Most references are to direct dependencies, found at once. The others are
 * answered in batches of 512 targets: one pass over the nodes in topological
 * order, each node's set being the union of its dependencies' sets. Targets
 * are sorted by their place in the order, so a pass starts at the batch's first
 * target and ends at its last reference.
 */
#include "dag/read.h"

#include <stdlib.h>
#include <string.h>

#define BATCH 512
#define WORDS (BATCH / 64)

struct set {
	uint64_t words[WORDS];
};

struct pass {
	struct reader *r;
	uint32_t *place;  /* by node: its place in the order */
	struct set *sets; /* by place, valid from start */
	uint32_t *number; /* by node: target's number in the batch + 1 */
};

static bool
is_dependency(const struct document *d, const struct reference *ref)
{
	const struct document_node *n = &d->nodes[ref->node];
	uint32_t low = 0, high = n->dependency_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (n->dependencies[mid] == ref->target)
			return true;
		if (n->dependencies[mid] < ref->target)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static void
fault_reference(struct reader *r, const struct reference *ref)
{
	const struct document_node *nodes = r->doc->nodes;

	fault_at(r, ref->node, ref->at, "not_an_ancestor",
	    ref->node == ref->target
		? "The node \"%s\" can't look at itself."
		: "The node \"%s\" is not an ancestor of this one; add it to "
		  "the dependencies.",
	    nodes[ref->target].name);
}

/* Keeps the references that need a pass. */
static size_t
keep_distant(struct reader *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->reference_count; i++) {
		struct reference ref = r->references[i];

		if (ref.node == ref.target)
			fault_reference(r, &ref);
		else if (!is_dependency(r->doc, &ref))
			r->references[n++] = ref;
	}
	return n;
}

static int
compare_references(const void *a, const void *b)
{
	const struct reference *x = a, *y = b;

	if (x->target != y->target) /* a place, see sort_by_place */
		return x->target < y->target ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* From here on a reference's target is its place in the order. */
static void
sort_by_place(struct pass *p, size_t count)
{
	struct reference *refs = p->r->references;

	for (size_t i = 0; i < count; i++)
		refs[i].target = p->place[refs[i].target];
	qsort(refs, count, sizeof(*refs), compare_references);
}

/* References [from, to) have at most BATCH distinct targets. */
static void
run_batch(struct pass *p, size_t from, size_t to)
{
	const struct document *d = p->r->doc;
	const struct reference *refs = p->r->references;
	uint32_t start = refs[from].target, end = start, number = 0;

	for (size_t i = from; i < to; i++) {
		uint32_t node = p->place[refs[i].node];

		if (node > end)
			end = node;
		if (i == from || refs[i].target != refs[i - 1].target)
			p->number[refs[i].target] = ++number;
	}
	for (uint32_t at = start; at <= end; at++) {
		const struct document_node *n = &d->nodes[d->order[at]];
		struct set s = {{0}};

		for (uint32_t k = 0; k < n->dependency_count; k++) {
			uint32_t dep = p->place[n->dependencies[k]];

			if (dep < start)
				continue;
			for (int w = 0; w < WORDS; w++)
				s.words[w] |= p->sets[dep].words[w];
			if (p->number[dep] > 0)
				s.words[(p->number[dep] - 1) / 64] |=
				    1ull << (p->number[dep] - 1) % 64;
		}
		p->sets[at] = s;
	}
}

static void
check_batch(struct pass *p, size_t from, size_t to)
{
	const struct document *d = p->r->doc;

	run_batch(p, from, to);
	for (size_t i = from; i < to; i++) {
		struct reference ref = p->r->references[i];
		uint32_t node = p->place[ref.node];
		uint32_t bit = p->number[ref.target] - 1;

		if (node < ref.target ||
		    (p->sets[node].words[bit / 64] >> bit % 64 & 1) == 0) {
			ref.target = d->order[ref.target];
			fault_reference(p->r, &ref);
		}
	}
	for (size_t i = from; i < to; i++)
		p->number[p->r->references[i].target] = 0;
}

static void
check_distant(struct pass *p, size_t count)
{
	const struct reference *refs = p->r->references;
	size_t from = 0;

	while (from < count) {
		size_t to = from;
		int targets = 0;

		for (; to < count; to++) {
			if (to == from ||
			    refs[to].target != refs[to - 1].target)
				targets++;
			if (targets > BATCH)
				break;
		}
		check_batch(p, from, to);
		from = to;
	}
}

void
read_references(struct reader *r)
{
	const struct document *d = r->doc;
	struct pass p = {.r = r};
	size_t count;

	/* with a cycle (or without memory) there is no order to look at */
	if (d->order == NULL || !r->ordered)
		return;
	count = keep_distant(r);
	if (count == 0)
		return;
	p.place = mem_array(r->mem, d->node_count, sizeof(*p.place));
	p.number = mem_array(r->mem, d->node_count, sizeof(*p.number));
	p.sets = mem_heap(d->node_count * sizeof(*p.sets));
	if (p.place != NULL && p.number != NULL && p.sets != NULL) {
		for (uint32_t i = 0; i < d->node_count; i++)
			p.place[d->order[i]] = i;
		sort_by_place(&p, count);
		check_distant(&p, count);
	} else {
		fault_memory(r);
	}
	free(p.sets);
}
