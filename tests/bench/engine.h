/* engine.h - the executor alone, without a server: plans, starts, and a journal
 * whose every record is read and then forgotten.
 *
 * Process:  the executor's, one thread. Fails: ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_ENGINE_H
#define OPEN_BENCH_ENGINE_H

#include <poll.h>
#include <unistd.h>

#include "exec/exec.h"
#include "exec/op_call.h"
#include "stats.h"

#define ENGINE_COLLECT 256

static inline void __attribute__((noreturn))
engine_die(const char *what, const struct err *e)
{
	fprintf(stderr, "bench: %s: %s\n", what, e->message);
	exit(1);
}

struct engine {
	struct exec *exec;
	uint64_t nodes;		      /* records read */
	uint64_t ended, unsuccessful; /* runs */
	int64_t run_us;		      /* the last run's own time */
	int64_t sum; /* of what was read, so that it is not left out */
};

static inline void
engine_create(struct engine *x, const struct exec_settings *s)
{
	struct err e = {0};

	*x = (struct engine){.exec = exec_create(s, &e)};
	if (x->exec == NULL || exec_attach(x->exec, 0, &e) != 0)
		engine_die("executor", &e);
}

static inline void
engine_destroy(struct engine *x)
{
	exec_destroy(x->exec);
}

/* JSON of {nodes: …}; the caller frees the plan. */
static inline struct plan *
engine_compile(const struct buf *json, const struct document_limits *limits,
    struct plan_hash *hash)
{
	struct document_options options = {
	    .ops = op_table_set(), .limits = limits};
	struct faults faults;
	struct document *d;
	struct plan *plan;
	struct err e = {0};
	struct mem m;

	mem_create(&m, 0);
	faults_create(&faults, &m, 1);
	if (document_parse(&m, DOCUMENT_JSON, json->data, json->len, &options,
		&faults, &d) != 0)
		engine_die("document", &faults.list[0]);
	plan = plan_compile(d, op_table_set(), &e);
	if (plan == NULL ||
	    document_hash((const char *)plan, plan->size, hash->bytes) != 0)
		engine_die("plan", &e);
	mem_destroy(&m);
	return plan;
}

static inline void
engine_put(
    struct engine *x, const struct plan *plan, const struct plan_hash *hash)
{
	struct err e = {0};

	if (exec_plan_put(x->exec, hash, plan, plan->size, &e) != 0)
		engine_die("plan", &e);
}

static inline void
engine_start(struct engine *x, const struct plan_hash *hash)
{
	struct run_start start = {.execution = uuid_execution(),
	    .organization = {{1}},
	    .allowed = ALLOW_PRIVATE_ADDRESSES,
	    .context = "{}",
	    .context_len = 2};
	struct run_ref ref;
	struct err e = {0};

	if (exec_reserve(x->exec, &start, &ref, &e) != 0 ||
	    exec_commit(x->exec, ref, hash, NULL, &e) != 0)
		engine_die("start", &e);
}

static inline void
engine_read(struct engine *x, const struct journal_entry *j)
{
	struct journal_node n;

	for (uint32_t i = 0; i < j->count; i++) {
		journal_node(x->exec, j, i, &n);
		x->sum += n.completed_us + n.node;
	}
	x->nodes += j->count;
	if (j->status < RUN_SUCCESS)
		return;
	x->ended++;
	x->unsuccessful += j->status != RUN_SUCCESS;
	x->run_us = j->completed_us - j->started_us;
}

/* Waits for something to collect, reads it. */
static inline void
engine_collect(struct engine *x)
{
	struct pollfd fd = {.fd = journal_fd(x->exec), .events = POLLIN};
	struct journal_entry list[ENGINE_COLLECT];
	uint64_t ignored;
	size_t n;

	poll(&fd, 1, 1000);
	if (read(fd.fd, &ignored, sizeof(ignored)) < 0)
		return;
	n = journal_collect(x->exec, list, ENGINE_COLLECT);
	for (size_t i = 0; i < n; i++)
		engine_read(x, &list[i]);
	journal_committed(x->exec, list, n);
}

/* So many runs at once, to their ends; microseconds. */
static inline double
engine_run(struct engine *x, const struct plan_hash *hash, unsigned runs)
{
	double begun = now_us();
	uint64_t end = x->ended + runs;

	for (unsigned i = 0; i < runs; i++)
		engine_start(x, hash);
	while (x->ended < end)
		engine_collect(x);
	return now_us() - begun;
}

#endif
