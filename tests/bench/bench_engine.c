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
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "stats.h"

#define NODES  1000
#define ROUNDS 400
#define BATCH  64

void *tbb_graph_new(uint32_t nodes, const uint32_t *successor_index,
    const uint32_t *successors, const uint32_t *roots, uint32_t root_count);
void tbb_graph_run(void *);
void tbb_graph_free(void *);

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "bench_engine: %s: %s\n", what, e->message);
	exit(1);
}

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
shape_chain(struct buf *b)
{
	for (int i = 0; i < NODES; i++)
		node_put(b, i, i > 0 ? i - 1 : 0, i);
}

static void
shape_fan(struct buf *b)
{
	node_put(b, 0, 0, 0);
	for (int i = 1; i < NODES - 1; i++)
		node_put(b, i, 0, 1);
	node_put(b, NODES - 1, 1, NODES - 1);
}

/* Each node waits for ten of the layer before. */
static void
shape_layers(struct buf *b)
{
	for (int i = 0; i < NODES; i++) {
		int first = i / 100 * 100 - 100 + i % 10 * 10;

		if (i < 100)
			node_put(b, i, 0, 0);
		else
			node_put(b, i, first, first + 10);
	}
}

struct shape {
	const char *name;
	void (*put)(struct buf *);
};
static const struct shape shapes[] = {
    {"chain of 1,000", shape_chain},
    {"1 -> 998 -> 1", shape_fan},
    {"10 layers of 100", shape_layers},
};

static struct plan *
shape_compile(const struct shape *s, struct plan_hash *hash)
{
	struct document_options options = {.ops = op_table_set()};
	struct faults faults;
	struct document *d;
	struct plan *plan;
	struct err e = {0};
	struct mem m;
	struct buf b;

	mem_create(&m, 0);
	buf_create(&b, 0);
	faults_create(&faults, &m, 1);
	buf_puts(&b, "{\"nodes\":[");
	s->put(&b);
	buf_puts(&b, "]}");
	if (document_parse(
		&m, DOCUMENT_JSON, b.data, b.len, &options, &faults, &d) != 0)
		die(s->name, &faults.list[0]);
	plan = plan_compile(d, op_table_set(), &e);
	if (plan == NULL ||
	    document_hash((const char *)plan, plan->size, hash->bytes) != 0)
		die(s->name, &e);
	buf_free(&b);
	mem_destroy(&m);
	return plan;
}

/* --- by hand --- */

struct loop {
	uint32_t wait[NODES], queue[NODES];
	int64_t started[NODES], completed[NODES];
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

/* --- ours --- */

struct ours {
	struct exec *exec;
	const struct plan_hash *hash;
	struct samples *run; /* nanoseconds a node inside the arena */
	uint64_t nodes;	     /* records read */
	uint32_t ended;
	int64_t sum; /* of what was read */
};

static void
ours_start(struct ours *o)
{
	struct run_start start = {
	    .execution = uuid_execution(), .context = "{}", .context_len = 2};
	struct run_ref ref;
	struct err e = {0};

	if (exec_reserve(o->exec, &start, &ref, &e) != 0 ||
	    exec_commit(o->exec, ref, o->hash, NULL, &e) != 0)
		die("start", &e);
}

static void
ours_read(struct ours *o, const struct journal_entry *j)
{
	struct journal_node n;

	for (uint32_t i = 0; i < j->count; i++) {
		journal_node(o->exec, j, i, &n);
		o->sum += n.completed_us + n.node;
	}
	o->nodes += j->count;
	if (j->status < RUN_SUCCESS)
		return;
	o->ended++;
	samples_add(
	    o->run, (double)(j->completed_us - j->started_us) * 1000 / NODES);
}

static void
ours_collect(struct ours *o)
{
	struct pollfd fd = {.fd = journal_fd(o->exec), .events = POLLIN};
	struct journal_entry list[BATCH];
	uint64_t ignored;
	size_t n;

	poll(&fd, 1, 1000);
	if (read(fd.fd, &ignored, sizeof(ignored)) < 0)
		return;
	n = journal_collect(o->exec, list, BATCH);
	for (size_t i = 0; i < n; i++)
		ours_read(o, &list[i]);
	journal_committed(o->exec, list, n);
}

static void
ours_round(struct ours *o, uint32_t runs)
{
	o->ended = 0;
	for (uint32_t i = 0; i < runs; i++)
		ours_start(o);
	while (o->ended < runs)
		ours_collect(o);
}

static struct exec *
ours_create(void)
{
	struct exec_settings s;
	struct exec *exec;
	struct err e = {0};

	exec_settings_default(&s);
	s.pin = false;
	s.compute.threads = 1;
	exec = exec_create(&s, &e);
	if (exec == NULL || exec_attach(exec, 0, &e) != 0)
		die("exec", &e);
	return exec;
}

/* --- the table --- */

static double
timed(struct samples *s, int64_t begun, uint32_t runs)
{
	double ns = (double)(clock_mono_ns() - begun) / ((double)runs * NODES);

	samples_add(s, ns);
	return ns;
}

static void
row(const char *name, struct samples *s, double bar)
{
	double median = samples_quantile(s, 0.5);

	printf("  %-44s %8.1f %8.1f", name, median, samples_quantile(s, 0.99));
	if (bar > 0)
		printf(" %8.2fx", median / bar);
	printf("\n");
	samples_free(s);
}

static void
measure(const struct shape *shape, struct exec *exec)
{
	static struct loop loop;
	struct samples plain = {0}, clocked = {0}, tbb = {0};
	struct samples single = {0}, batch = {0}, run = {0}, ignored = {0};
	struct plan_hash hash;
	struct plan *p = shape_compile(shape, &hash);
	struct ours ours = {.exec = exec, .hash = &hash, .run = &run};
	void *graph =
	    tbb_graph_new(p->node_count, plan_at(p, p->successor_index),
		plan_at(p, p->successors), plan_at(p, p->roots), p->root_count);
	struct err e = {0};
	double bar;

	if (exec_plan_put(exec, &hash, p, p->size, &e) != 0)
		die("plan", &e);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t t = clock_mono_ns();

		loop_plain(&loop, p);
		timed(&plain, t, 1);
		t = clock_mono_ns();
		loop_clocked(&loop, p);
		timed(&clocked, t, 1);
		t = clock_mono_ns();
		tbb_graph_run(graph);
		timed(&tbb, t, 1);
		t = clock_mono_ns();
		ours.run = &run;
		ours_round(&ours, 1);
		timed(&single, t, 1);
		if (i % 8 != 0)
			continue;
		t = clock_mono_ns();
		ours.run = &ignored;
		ours_round(&ours, BATCH);
		timed(&batch, t, BATCH);
	}
	bar = samples_quantile(&clocked, 0.5);
	printf("%s\n", shape->name);
	row("C loop, plain", &plain, 0);
	row("C loop, two clock readings a node", &clocked, 0);
	row("oneTBB flow graph, nothing recorded", &tbb, bar);
	row("OPEN, in the arena", &run, bar);
	row("OPEN, batch of 64: start to journal", &batch, bar);
	row("OPEN, one alone: with two thread switches", &single, bar);
	samples_free(&ignored);
	tbb_graph_free(graph);
	free(p);
}

int
main(void)
{
	struct exec *exec;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	exec = ours_create();
	printf("engine: no-op DAGs of %d nodes, ns a node, one CPU; "
	       "bar: <= 2x the loop with two clock readings\n",
	    NODES);
	printf("  %-44s %8s %8s %9s\n", "", "median", "p99", "ratio");
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		measure(&shapes[i], exec);
	exec_destroy(exec);
	return 0;
}
