/* bench_engine - no-op DAGs of 1,000 nodes in memory, beside a C loop over the
 * same graph in the same process (plain, and with two clock readings a node)
 * and oneTBB's flow graph, which records nothing.
 *
 * "run": one execution at a time, from its hand-off to its end in the arena.
 * "batch": 64 executions from exec_reserve to journal_committed, every record
 * read as the journal's writer reads it; all threads share one CPU, so nothing
 * is hidden on another one.
 *
 * The bar: at most twice the C loop with two clock readings.
 */
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "engine.h"
#include "table.h"

#define NODES	  1000
#define NODES_MAX 1000000
#define ROUNDS	  400
#define BATCH	  64

void *tbb_graph_new(uint32_t nodes, const uint32_t *successor_index,
    const uint32_t *successors, const uint32_t *roots, uint32_t root_count);
void tbb_graph_run(void *);
void tbb_graph_free(void *);

/* --- shapes --- */

static void
node_put(struct buf *b, int i, int from, int to)
{
	buf_printf(b, "%s{\"name\":\"n%d\"", i == 0 ? "" : ",", i);
	for (int d = from; d < to; d++)
		buf_printf(
		    b, "%s\"n%d\"", d == from ? ",\"dependencies\":[" : ",", d);
	buf_puts(b, from < to ? "]}" : "}");
}

static void
shape_chain(struct buf *b, int nodes)
{
	for (int i = 0; i < nodes; i++)
		node_put(b, i, i > 0 ? i - 1 : 0, i);
}

static void
shape_fan(struct buf *b, int nodes)
{
	node_put(b, 0, 0, 0);
	for (int i = 1; i < nodes - 1; i++)
		node_put(b, i, 0, 1);
	node_put(b, nodes - 1, 1, nodes - 1);
}

/* Layers of 100; each node waits for ten of the layer before. */
static void
shape_layers(struct buf *b, int nodes)
{
	for (int i = 0; i < nodes; i++) {
		int first = i / 100 * 100 - 100 + i % 10 * 10;

		if (i < 100)
			node_put(b, i, 0, 0);
		else
			node_put(b, i, first, first + 10);
	}
}

static const struct shape {
	const char *name,
	    *rows[3]; /* in the arena, to the journal, beside TBB */
	void (*put)(struct buf *, int nodes);
} shapes[] = {
    {"chain",
	{"no-op node, in the arena: chain of 1,000",
	    "no-op node, start to journal: chain of 1,000",
	    "no-op node, in the arena: chain of 1,000"},
	shape_chain},
    {"1-n-1",
	{"no-op node, in the arena: 1-998-1",
	    "no-op node, start to journal: 1-998-1",
	    "no-op node, in the arena: 1-998-1"},
	shape_fan},
    {"layers of 100",
	{"no-op node, in the arena: 10 layers of 100",
	    "no-op node, start to journal: 10 layers of 100",
	    "no-op node, in the arena: 10 layers of 100"},
	shape_layers},
};

static struct plan *
shape_compile(const struct shape *s, int nodes, struct plan_hash *hash)
{
	struct document_limits limits = {.bytes = 1u << 30,
	    .nodes = NODES_MAX,
	    .dependencies = 16 * NODES_MAX};
	struct plan *plan;
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[");
	s->put(&b, nodes);
	buf_puts(&b, "]}");
	plan = engine_compile(&b, &limits, hash);
	buf_free(&b);
	return plan;
}

/* --- by hand --- */

struct loop {
	uint32_t wait[NODES_MAX], queue[NODES_MAX];
	int64_t started[NODES_MAX], completed[NODES_MAX];
};

static uint32_t
loop_begin(struct loop *l, const struct plan *p)
{
	const struct plan_node *nodes = plan_nodes(p);

	for (uint32_t i = 0; i < p->node_count; i++)
		l->wait[i] = nodes[i].indegree;
	memcpy(l->queue, plan_at(p, p->roots), p->root_count * 4);
	return p->root_count;
}

static inline uint32_t
loop_tell(struct loop *l, const uint32_t *index, const uint32_t *successors,
    uint32_t node, uint32_t tail)
{
	for (uint32_t e = index[node]; e < index[node + 1]; e++)
		if (--l->wait[successors[e]] == 0)
			l->queue[tail++] = successors[e];
	return tail;
}

static void
loop_plain(struct loop *l, const struct plan *p)
{
	const uint32_t *index = plan_at(p, p->successor_index);
	const uint32_t *successors = plan_at(p, p->successors);
	uint32_t tail = loop_begin(l, p);

	for (uint32_t head = 0; head < tail; head++)
		tail = loop_tell(l, index, successors, l->queue[head], tail);
}

static void
loop_clocked(struct loop *l, const struct plan *p)
{
	const uint32_t *index = plan_at(p, p->successor_index);
	const uint32_t *successors = plan_at(p, p->successors);
	uint32_t tail = loop_begin(l, p);

	for (uint32_t head = 0; head < tail; head++) {
		uint32_t node = l->queue[head];

		l->started[node] = clock_mono_ns();
		l->completed[node] = clock_mono_ns();
		tail = loop_tell(l, index, successors, node, tail);
	}
}

/* --- the rounds --- */

static void
timed(struct samples *s, int64_t begun, double nodes)
{
	samples_add(s, (double)(clock_mono_ns() - begun) / nodes);
}

struct figures {
	struct samples plain, clocked, tbb, single, batch, run;
};

static void
round_run(struct engine *x, struct loop *loop, struct figures *f,
    const struct plan *p, const struct plan_hash *hash, void *graph)
{
	double nodes = p->node_count;
	int64_t t = clock_mono_ns();

	loop_plain(loop, p);
	timed(&f->plain, t, nodes);
	t = clock_mono_ns();
	loop_clocked(loop, p);
	timed(&f->clocked, t, nodes);
	if (graph != NULL) {
		t = clock_mono_ns();
		tbb_graph_run(graph);
		timed(&f->tbb, t, nodes);
	}
	t = clock_mono_ns();
	engine_run(x, hash, 1);
	timed(&f->single, t, nodes);
	samples_add(&f->run, (double)x->run_us * 1000 / nodes);
}

static void
figures_free(struct figures *f)
{
	samples_free(&f->plain);
	samples_free(&f->clocked);
	samples_free(&f->tbb);
	samples_free(&f->single);
	samples_free(&f->batch);
	samples_free(&f->run);
}

static void
row_print(const char *what, const char *peer, struct samples *ours,
    struct samples *theirs, double limit)
{
	table_row(&(struct row){.what = what,
	    .peer = peer,
	    .unit = "ns",
	    .ours = samples_quantile(ours, 0.5),
	    .theirs = samples_quantile(theirs, 0.5),
	    .limit = limit});
}

static void
measure(const struct shape *shape, struct engine *x, struct loop *loop)
{
	struct figures f = {0};
	struct plan_hash hash;
	struct plan *p = shape_compile(shape, NODES, &hash);
	void *graph =
	    tbb_graph_new(p->node_count, plan_at(p, p->successor_index),
		plan_at(p, p->successors), plan_at(p, p->roots), p->root_count);

	engine_put(x, p, &hash);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t t;

		round_run(x, loop, &f, p, &hash, graph);
		if (i % 8 != 0)
			continue;
		t = clock_mono_ns();
		engine_run(x, &hash, BATCH);
		timed(&f.batch, t, (double)BATCH * NODES);
	}
	row_print(shape->rows[0], "C loop, two clock readings a node", &f.run,
	    &f.clocked, 2);
	row_print(shape->rows[1], "C loop, two clock readings a node", &f.batch,
	    &f.clocked, 2);
	row_print(shape->rows[2], "oneTBB flow graph, which records nothing",
	    &f.run, &f.tbb, 0);
	printf("  %s: the loop without clocks %.1f ns; one execution alone, "
	       "with two thread switches, %.1f ns\n",
	    shape->name, samples_quantile(&f.plain, 0.5),
	    samples_quantile(&f.single, 0.5));
	figures_free(&f);
	tbb_graph_free(graph);
	free(p);
}

/* The same at 10, 100 and 1,000 times the size, beside the loop at that size:
 * what grows faster than the graph would show. */
static void
measure_growth(const struct shape *shape, struct engine *x, struct loop *loop)
{
	for (int nodes = 10 * NODES; nodes <= NODES_MAX; nodes *= 10) {
		struct figures f = {0};
		struct plan_hash hash;
		struct plan *p = shape_compile(shape, nodes, &hash);
		char what[64];

		engine_put(x, p, &hash);
		for (int i = 0; i < (nodes < NODES_MAX ? 20 : 5); i++)
			round_run(x, loop, &f, p, &hash, NULL);
		snprintf(what, sizeof(what), "no-op node, in the arena: %s, %d",
		    shape->name, nodes);
		row_print(what, "C loop of the same size, two readings", &f.run,
		    &f.clocked, 2);
		figures_free(&f);
		free(p);
	}
}

int
main(void)
{
	static struct loop loop;
	struct exec_settings s;
	struct engine x;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	exec_settings_default(&s);
	s.shm_bytes = (size_t)1 << 30;
	s.pin = false;
	s.compute.threads = 1;
	engine_create(&x, &s);
	table_head();
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		measure(&shapes[i], &x, &loop);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		measure_growth(&shapes[i], &x, &loop);
	engine_destroy(&x);
	return 0;
}
