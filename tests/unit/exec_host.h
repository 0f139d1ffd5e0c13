/* exec_host.h - a host for tests of the executor: plans from JSON, and a
 * database that lies in shared memory, so that it outlives killed workers.
 *
 * The database does what PostgreSQL does for the real journal: node history is
 * keyed by (execution, first), a repeated row is ignored, and here it must also
 * be the same.
 */
#ifndef TESTS_EXEC_HOST_H
#define TESTS_EXEC_HOST_H

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/op_call.h"

/* --- plans --- */

struct test_plan {
	struct plan *plan;
	struct plan_hash hash;
};

/* definition: JSON of {nodes: …}. */
static inline struct test_plan
plan_from_json(const char *definition)
{
	struct document_options options = {.ops = op_table_set()};
	struct test_plan p;
	struct faults faults;
	struct document *d;
	struct mem m;
	struct err e = {0};

	mem_create(&m, 0);
	faults_create(&faults, &m, 10);
	if (document_parse(&m, DOCUMENT_JSON, definition, strlen(definition),
		&options, &faults, &d) != 0)
		fail_msg(
		    "%s: %s", faults.list[0].pointer, faults.list[0].message);
	p.plan = plan_compile(d, op_table_set(), &e);
	if (p.plan == NULL)
		fail_msg("%s", e.message);
	assert_int_equal(
	    document_hash((const char *)p.plan, p.plan->size, p.hash.bytes), 0);
	mem_destroy(&m);
	return p;
}

/* Nodes PREFIX0, PREFIX1, … that are alike; rest: their other members. */
static inline struct test_plan
plan_of_equals(const char *prefix, unsigned nodes, const char *rest)
{
	char *text = malloc((strlen(prefix) + strlen(rest) + 40) * nodes + 100);
	size_t at = (size_t)sprintf(text, "{\"nodes\":[");
	struct test_plan p;

	for (unsigned i = 0; i < nodes; i++)
		at += (size_t)sprintf(text + at, "%s{\"name\":\"%s%u\"%s}",
		    i > 0 ? "," : "", prefix, i, rest);
	sprintf(text + at, "]}");
	p = plan_from_json(text);
	free(text);
	return p;
}

static inline void
plan_put(struct exec *exec, const struct test_plan *p)
{
	struct err e = {0};

	if (exec_plan_put(exec, &p->hash, p->plan, p->plan->size, &e) != 0)
		fail_msg("%s", e.message);
}

/* --- the database --- */

#define DB_NODES 128
#define DB_ROWS	 512
#define DB_TEXT	 512

struct db_node {
	uint32_t node, element;
	uint32_t kind; /* enum event_kind */
	uint32_t attempts;
	int64_t started_us, completed_us;
	char result[64], error[160], log[64];
};

struct db_execution {
	_Atomic uint32_t durable; /* the row is committed */
	_Atomic uint32_t status, finals;
	uint32_t plan; /* the test's */
	uint32_t total, succeeded, failed;
	int64_t started_us, completed_us;
	uint32_t rows;
	uint32_t row[DB_ROWS];	     /* by first: count + 1; 0: no such row */
	uint32_t events_in[DB_ROWS]; /* by first: events of the row */
	struct db_node nodes[DB_NODES]; /* in the order of completion */
	uint32_t node_row[DB_NODES];	/* its row's first */
	uint32_t event_count;
	struct db_node events[DB_ROWS];
	char result[DB_TEXT], error[DB_TEXT];
};

struct db {
	uint32_t count;
	_Atomic uint32_t taken, final;
	struct db_execution list[];
};

static inline struct db *
db_create(uint32_t count)
{
	size_t size = sizeof(struct db) + count * sizeof(struct db_execution);
	struct db *db = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(db, MAP_FAILED);
	db->count = count;
	return db;
}

static inline void
db_free(struct db *db)
{
	munmap(db, sizeof(struct db) + db->count * sizeof(struct db_execution));
}

static inline struct uuid
execution_id(uint32_t k)
{
	struct uuid id = {{0}};

	id.bytes[6] = 0x70;
	memcpy(id.bytes + 8, &k, sizeof(k));
	return id;
}

static inline struct db_execution *
db_find(struct db *db, const struct uuid *id)
{
	uint32_t k;

	memcpy(&k, id->bytes + 8, sizeof(k));
	assert_true(k < db->count);
	return &db->list[k];
}

static inline void
db_text(char *to, size_t size, const char *text, size_t len)
{
	if (text == NULL)
		snprintf(to, size, "-");
	else
		snprintf(
		    to, size, "%.*s", (int)(len < size ? len : size - 1), text);
}

static inline void
db_node_read(struct exec *exec, const struct journal_entry *j, uint32_t i,
    struct db_node *n)
{
	struct journal_node in;

	journal_node(exec, j, i, &in);
	memset(n, 0, sizeof(*n));
	n->node = in.node;
	n->element = in.element;
	n->kind = in.kind;
	n->attempts = in.attempts;
	n->started_us = in.started_us;
	n->completed_us = in.completed_us;
	db_text(n->result, sizeof(n->result), in.result, in.result_len);
	db_text(n->error, sizeof(n->error), in.error, in.error_len);
	db_text(n->log, sizeof(n->log), in.log, in.log_len);
}

/* insert … on conflict (execution, first) do nothing */
static inline void
db_history(
    struct exec *exec, struct db_execution *x, const struct journal_entry *j)
{
	uint32_t nodes = j->first - j->events_first;
	bool there;

	assert_true(j->first + j->count <= DB_ROWS);
	assert_true(j->events <= j->count);
	if (j->count == 0)
		return;
	there = x->row[j->first] != 0;
	if (there) {
		assert_int_equal(x->row[j->first], j->count + 1);
		assert_int_equal(x->events_in[j->first], j->events);
	}
	for (uint32_t i = 0; i < j->count; i++) {
		struct db_node *to = i < j->events
					 ? &x->events[j->events_first + i]
					 : &x->nodes[nodes + i - j->events];
		struct db_node n;

		db_node_read(exec, j, i, &n);
		if (there)
			assert_memory_equal(&n, to, sizeof(n));
		else
			*to = n;
		if (i >= j->events)
			x->node_row[nodes + i - j->events] = j->first;
	}
	x->events_in[j->first] = j->events;
	if (j->events > 0)
		x->event_count = j->events_first + j->events;
	if (!there)
		x->rows++;
	/* Whoever is killed in between leaves no row. */
	atomic_thread_fence(memory_order_seq_cst);
	x->row[j->first] = j->count + 1;
}

static inline void
db_status(struct db *db, struct db_execution *x, const struct journal_entry *j)
{
	uint32_t old = atomic_load(&x->status);

	if (!j->status_changed || (old >= RUN_SUCCESS))
		return;
	assert_true(j->status >= old);
	x->total = j->total_nodes;
	x->succeeded = j->succeeded_nodes;
	x->failed = j->failed_nodes;
	x->started_us = j->started_us;
	x->completed_us = j->completed_us;
	db_text(x->result, sizeof(x->result), j->result, j->result_len);
	db_text(x->error, sizeof(x->error), j->error, j->error_len);
	atomic_store(&x->status, j->status);
	if (j->status >= RUN_SUCCESS)
		atomic_fetch_add(&db->final, 1);
}

static inline void
db_write(struct exec *exec, struct db *db, const struct journal_entry *list,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct db_execution *x = db_find(db, &list[i].execution);

		db_history(exec, x, &list[i]);
		db_status(db, x, &list[i]);
	}
}

/* Every node of the execution is there exactly once. */
static inline void
db_check(const struct db_execution *x, uint32_t node_count)
{
	uint32_t seen[DB_NODES] = {0};
	uint32_t k = 0, at = 0;

	while (k < node_count) {
		uint32_t end;

		assert_true(x->row[at] > 1);
		end = k + x->row[at] - 1 - x->events_in[at];
		at += x->row[at] - 1;
		for (; k < end; k++)
			seen[x->nodes[k].node]++;
	}
	assert_int_equal(k, node_count);
	for (uint32_t i = 0; i < node_count; i++)
		assert_int_equal(seen[i], 1);
}

static inline uint32_t
db_events(const struct db_execution *x, uint32_t node, enum event_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < x->event_count; i++)
		count += x->events[i].kind == (uint32_t)kind &&
			 x->events[i].node == node;
	return count;
}

/* Each attempt before a node's last one is there, as one that failed. */
static inline void
db_check_attempts(const struct db_execution *x, uint32_t node_count)
{
	for (uint32_t k = 0; k < node_count; k++)
		assert_int_equal(x->nodes[k].attempts,
		    1 + db_events(x, x->nodes[k].node, EVENT_TRIED));
}

/* Never before its dependencies, where all of them had to end first. */
static inline void
db_check_order(const struct db_execution *x, const struct plan *p)
{
	const uint32_t *index = plan_at(p, p->dependency_index);
	const uint32_t *dependencies = plan_at(p, p->dependencies);
	const struct db_node *at[DB_NODES] = {NULL};

	for (uint32_t k = 0; k < p->node_count; k++) {
		const struct db_node *n = &x->nodes[k];

		at[n->node] = n;
		for (uint32_t d = index[n->node]; d < index[n->node + 1]; d++) {
			assert_non_null(at[dependencies[d]]);
			assert_true(at[dependencies[d]]->completed_us <=
				    n->started_us + 1);
		}
	}
}

/* In a sync run each node's dependencies stand in rows before its own. */
static inline void
db_check_frontiers(const struct db_execution *x, const struct plan *p)
{
	const uint32_t *index = plan_at(p, p->dependency_index);
	const uint32_t *dependencies = plan_at(p, p->dependencies);
	uint32_t row[DB_NODES] = {0}; /* by node, + 1 */

	for (uint32_t k = 0; k < p->node_count; k++)
		row[x->nodes[k].node] = x->node_row[k] + 1;
	for (uint32_t i = 0; i < p->node_count; i++)
		for (uint32_t d = index[i]; d < index[i + 1]; d++)
			assert_true(row[dependencies[d]] < row[i]);
}

/* --- the loop --- */

/* Waits for something to collect at most timeout_ms, then writes it; how many
 * entries. */
static inline size_t
host_step(struct exec *exec, struct db *db, int timeout_ms)
{
	struct pollfd fd = {.fd = journal_fd(exec), .events = POLLIN};
	struct journal_entry list[64];
	uint64_t ignored;
	size_t n;

	poll(&fd, 1, timeout_ms);
	if (read(fd.fd, &ignored, sizeof(ignored)) < 0)
		return 0;
	n = journal_collect(exec, list, 64);
	db_write(exec, db, list, n);
	journal_committed(exec, list, n);
	return n;
}

static inline struct run_ref
run_reserve(struct exec *exec, uint32_t k)
{
	struct run_start start = {.execution = execution_id(k),
	    .organization = execution_id(0),
	    .context = "{\"day\":7}",
	    .context_len = 9};
	struct run_ref ref;
	struct err e = {0};

	if (exec_reserve(exec, &start, &ref, &e) != 0)
		fail_msg("%s", e.message);
	return ref;
}

static inline struct run_ref
run_go(struct exec *exec, uint32_t k, const struct test_plan *p,
    const struct run_resume *resume)
{
	struct run_ref ref = run_reserve(exec, k);
	struct err e = {0};

	if (exec_commit(exec, ref, &p->hash, resume, &e) != 0)
		fail_msg("%s", e.message);
	return ref;
}

/* Until execution k has ended in the database. */
static inline void
run_wait(struct exec *exec, struct db *db, uint32_t k)
{
	while (atomic_load(&db->list[k].status) < RUN_SUCCESS)
		host_step(exec, db, 1000);
}

static inline struct exec_settings
small_settings(void)
{
	struct exec_settings s;

	exec_settings_default(&s);
	s.shm_bytes = 8u << 20;
	s.max_runs = 256;
	s.max_plans = 8;
	s.flush_ns = 5000000;
	s.compute.threads = 1;
	s.pin = false;
	return s;
}

static inline struct exec *
exec_with(const struct exec_settings *s)
{
	struct err e = {0};
	struct exec *exec = exec_create(s, &e);

	if (exec == NULL)
		fail_msg("%s", e.message);
	if (exec_attach(exec, 0, &e) != 0)
		fail_msg("%s", e.message);
	return exec;
}

static inline struct exec *
exec_small(void)
{
	struct exec_settings s = small_settings();

	return exec_with(&s);
}

/* Nothing of runs is left in shared memory. */
static inline void
assert_empty(struct exec *exec, size_t bytes_free)
{
	struct exec_status s;

	exec_status(exec, &s);
	assert_int_equal(s.runs, 0);
	assert_int_equal(s.bytes_free, bytes_free);
}

static inline size_t
bytes_free(struct exec *exec)
{
	struct exec_status s;

	exec_status(exec, &s);
	return s.bytes_free;
}

#endif
