/* sim_sub_dag.h - one execution in the simulation of sub-DAGs: its row, its
 * journal, and what its server has in memory: the real scheduler and fan-outs,
 * and requests for children. Whoever includes this is the database. */
#ifndef TESTS_SIM_SUB_DAG_H
#define TESTS_SIM_SUB_DAG_H

#include <stdlib.h>
#include <string.h>

#include "exec/event.h"
#include "exec/fanout.h"

#define PLANS	  4
#define NODES_MAX 5
#define FAN_MAX	  3
#define DEPTH_MAX 3
#define EXE_MAX	  200
#define ASK_MAX	  2000
#define LOG_MAX	  400
#define SERVERS	  3
#define NOBODY	  UINT32_MAX
#define NODE_END  'n' /* an entry of the order; others are enum event_kind */

struct sim_plan {
	struct plan head;
	struct plan_node nodes[NODES_MAX];
	uint32_t successor_index[NODES_MAX + 1];
	uint32_t successors[NODES_MAX * NODES_MAX];
	uint32_t roots[NODES_MAX];
	uint32_t count[NODES_MAX];		  /* elements */
	const struct sim_plan *dag_of[NODES_MAX]; /* NULL: no op dag */
};

struct entry {
	uint32_t node, element;
	uint8_t kind;
	struct node_record end; /* or of an attempt */
};

struct sim_exe {
	/* The rows. */
	uint32_t id, depth, server;
	uint32_t parent, node, element, attempt;
	const struct sim_plan *plan;
	bool finished, paused;
	enum run_stop stop;
	enum run_status status;
	struct entry log[LOG_MAX];
	uint32_t logged, durable;
	/* The memory; none: NULL. */
	void *memory;
	struct run run;
	struct run_state state;
	uint32_t known; /* of the order, in the log */
	bool running[NODES_MAX];
	struct fanout fans[NODES_MAX];
	struct node_record elements[NODES_MAX][FAN_MAX];
	/* What the judge remembers. */
	uint32_t ended_at; /* step */
	bool crashed;
	bool excused[NODES_MAX]; /* it may fail without a child that does */
};

/* A request for a child: waits in its lane or is in a statement. */
struct ask {
	struct sim_exe *exe;
	uint32_t node, element, attempt;
	bool wanted, sent, stopped;
};

static struct {
	struct sim_plan plans[PLANS];
	struct sim_exe *exes[EXE_MAX];
	uint32_t exe_count;
	struct ask asks[ASK_MAX];
	uint32_t ask_count;
	int64_t now;
	uint32_t step;
	uint32_t failing; /* percent */
} w;

static uint64_t seed;

static inline uint32_t
rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 33) % below;
}

/* --- plans and rows --- */

static inline void
plan_node_random(struct sim_plan *p, uint32_t i, bool triggers)
{
	struct plan_node *n = &p->nodes[i];
	bool is_dag = rnd(5) < 2;

	n->trigger = (uint8_t)(triggers ? rnd(5) : 0);
	n->retry_limit = (uint16_t)(rnd(2) ? rnd(3) : 0);
	n->retry_backoff_ns = 1 + rnd(100);
	n->retry_factor = 2;
	n->retry_max_ns = 300;
	p->dag_of[i] = is_dag ? &w.plans[rnd(PLANS)] : NULL;
	if (rnd(5) == 0)
		n->flags |= PLAN_NODE_ONCE;
	if (rnd(3) == 0) {
		n->for_each = 1;
		n->concurrency = 1 + rnd(FAN_MAX);
		p->count[i] = rnd(FAN_MAX + 1);
	} else if (!is_dag && rnd(4) == 0) {
		n->flags = PLAN_NODE_PURE;
	}
}

static inline void
plan_random(struct sim_plan *p)
{
	uint32_t n = 1 + rnd(NODES_MAX), density = rnd(80), count = 0;
	bool triggers = rnd(2) != 0;

	p->head.node_count = n;
	p->head.nodes = offsetof(struct sim_plan, nodes);
	p->head.successor_index = offsetof(struct sim_plan, successor_index);
	p->head.successors = offsetof(struct sim_plan, successors);
	p->head.roots = offsetof(struct sim_plan, roots);
	if (rnd(2))
		p->head.durability = DURABILITY_SYNC;
	for (uint32_t i = 0; i < n; i++) {
		p->successor_index[i] = count;
		for (uint32_t to = i + 1; to < n; to++)
			if (rnd(100) < density) {
				p->successors[count++] = to;
				p->nodes[to].indegree++;
			}
		plan_node_random(p, i, triggers);
		if (p->nodes[i].indegree == 0)
			p->roots[p->head.root_count++] = i;
	}
	p->successor_index[n] = count;
}

static inline struct sim_exe *
exe_new(const struct sim_plan *plan, uint32_t depth, uint32_t server)
{
	struct sim_exe *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	e->id = w.exe_count;
	e->plan = plan;
	e->depth = depth;
	e->server = server;
	e->parent = NOBODY;
	w.exes[w.exe_count++] = e;
	return e;
}

static inline struct sim_exe *
find_child(uint32_t parent, uint32_t node, uint32_t element, uint32_t attempt)
{
	for (uint32_t k = 0; k < w.exe_count; k++)
		if (w.exes[k]->parent == parent && w.exes[k]->node == node &&
		    w.exes[k]->element == element &&
		    w.exes[k]->attempt == attempt)
			return w.exes[k];
	return NULL;
}

/* --- the journal --- */

static inline bool
is_end(const struct entry *n)
{
	return n->kind != EVENT_TRIED && n->kind != EVENT_STARTED;
}

static inline struct node_record *
record_of(struct sim_exe *e, uint32_t node, uint32_t element)
{
	return element == ELEMENT_NONE ? &e->run.nodes[node]
				       : &e->elements[node][element];
}

static inline void
log_put(struct sim_exe *e, uint32_t node, uint32_t element, unsigned kind)
{
	assert_true(e->logged < LOG_MAX);
	e->log[e->logged++] = (struct entry){.node = node,
	    .element = element,
	    .kind = (uint8_t)kind,
	    .end = *record_of(e, node, element)};
}

/* What is in the order and not in the log yet. */
static inline void
drain(struct sim_exe *e)
{
	while (e->known < atomic_load(&e->state.completed))
		log_put(e, e->run.order[e->known++], ELEMENT_NONE, NODE_END);
}

static inline uint32_t
ends_durable(const struct sim_exe *e)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < e->durable; k++)
		count += e->log[k].kind == NODE_END;
	return count;
}

/* Where an attempt starts: none of what ended does, and they are counted. */
static inline void
check_start(struct sim_exe *e, uint32_t node, uint32_t element)
{
	uint32_t tries = 0;

	assert_false(e->finished);
	for (uint32_t k = 0; k < e->logged; k++) {
		const struct entry *n = &e->log[k];

		if (n->node != node)
			continue;
		assert_int_not_equal(n->kind, NODE_END);
		if (n->element != element)
			continue;
		assert_false(is_end(n));
		tries += n->kind == EVENT_TRIED;
	}
	assert_int_equal(record_of(e, node, element)->attempts, 1 + tries);
}

/* A flush tells of nodes that run. */
static inline void
tell_running(struct sim_exe *e)
{
	for (uint32_t i = 0; i < e->run.node_count; i++) {
		struct node_record *n = &e->run.nodes[i];

		if (!e->running[i] || (n->flags & NODE_TOLD))
			continue;
		log_put(e, i, ELEMENT_NONE, EVENT_STARTED);
		n->flags |= NODE_TOLD;
	}
}

/* --- requests --- */

static inline void
ask_new(struct sim_exe *e, uint32_t node, uint32_t element)
{
	assert_true(w.ask_count < ASK_MAX);
	w.asks[w.ask_count++] = (struct ask){.exe = e,
	    .node = node,
	    .element = element,
	    .attempt = record_of(e, node, element)->attempts,
	    .wanted = true};
}

static inline void
ask_remove(const struct ask *a)
{
	w.asks[a - w.asks] = w.asks[--w.ask_count];
}

static inline void
ask_stop(const struct sim_exe *e, uint32_t node, uint32_t element)
{
	for (uint32_t k = 0; k < w.ask_count; k++) {
		struct ask *a = &w.asks[k];

		if (a->exe == e && a->node == node && a->element == element)
			a->stopped = true;
	}
}

/* --- ends --- */

static inline void
end_element(struct sim_exe *e, uint32_t i, uint32_t element, enum node_state s)
{
	static const uint8_t kinds[] = {[NODE_SUCCESS] = EVENT_SUCCESS,
	    [NODE_FAILED] = EVENT_FAILED,
	    [NODE_SKIPPED] = EVENT_SKIPPED,
	    [NODE_CANCELLED] = EVENT_CANCELLED};

	fanout_end(&e->fans[i], element, s, w.now);
	log_put(e, i, element, kinds[s]);
}

static inline void
fan_close(struct sim_exe *e, uint32_t i)
{
	for (uint32_t k = 0; k < e->plan->count[i]; k++)
		if (!fanout_open(&e->fans[i]) &&
		    node_state(&e->elements[i][k]) == NODE_RETRY)
			end_element(e, i, k, NODE_CANCELLED);
}

static inline void
complete(struct sim_exe *e, uint32_t i, uint32_t element, enum node_state s)
{
	assert_int_equal(node_state(record_of(e, i, element)), NODE_RUNNING);
	if (element != ELEMENT_NONE) {
		end_element(e, i, element, s);
		fan_close(e, i);
		return;
	}
	e->running[i] = false;
	sched_end(&e->run, i, s, w.now);
	drain(e);
}

static inline void
attempt_failed(struct sim_exe *e, uint32_t i, uint32_t element, bool retryable)
{
	const struct plan_node *p = &e->plan->nodes[i];
	bool again = element == ELEMENT_NONE
			 ? sched_may_retry(&e->run, i, retryable)
			 : fanout_may_retry(&e->fans[i], p, element, retryable);

	if (!again) {
		complete(e, i, element, NODE_FAILED);
		return;
	}
	log_put(e, i, element, EVENT_TRIED);
	if (element != ELEMENT_NONE) {
		record_retry(p, &e->elements[i][element], w.now, rnd(1000));
		return;
	}
	e->running[i] = false;
	sched_retry_at(&e->run, i, w.now, rnd(1000));
}

/* --- starts --- */

static inline void
start_element(struct sim_exe *e, uint32_t i, uint32_t element)
{
	fanout_start(&e->fans[i], element, w.now);
	check_start(e, i, element);
	if (e->plan->dag_of[i] != NULL)
		ask_new(e, i, element);
}

static inline void
fan_open(struct sim_exe *e, uint32_t i)
{
	struct fanout *f = &e->fans[i];

	fanout_create(f, e->elements[i], e->plan->count[i],
	    e->plan->nodes[i].concurrency);
	for (uint32_t k = 0; k < e->logged; k++) {
		const struct entry *n = &e->log[k];

		if (n->node == i && n->element != ELEMENT_NONE && is_end(n))
			fanout_restore(f, n->element, &n->end);
	}
	fanout_rebuild(f);
	for (uint32_t k = 0; k < f->count; k++)
		if (record_is_cut_off(&f->elements[k]))
			record_interrupted(&f->elements[k], true);
	fan_close(e, i);
}

static inline void
start_node(struct sim_exe *e, uint32_t i)
{
	bool gives_up;

	assert_false(e->running[i]);
	if (e->run.wait[i] & AWAIT_PURE) {
		sched_pure(&e->run, i, w.now, w.now);
		drain(e);
		return;
	}
	gives_up = record_gives_up(&e->plan->nodes[i], &e->run.nodes[i]);
	sched_start(&e->run, i, w.now);
	check_start(e, i, ELEMENT_NONE);
	e->running[i] = true;
	if (gives_up) {
		assert_true(e->crashed && e->plan->dag_of[i] == NULL);
		complete(e, i, ELEMENT_NONE, NODE_FAILED);
	} else if (e->plan->nodes[i].for_each != 0) {
		fan_open(e, i);
	} else if (e->plan->dag_of[i] != NULL) {
		ask_new(e, i, ELEMENT_NONE);
	}
}

static inline void
exe_pull(struct sim_exe *e, uint32_t most)
{
	uint32_t i;

	for (; most > 0; most--)
		switch (sched_next(&e->run, &i)) {
		case NEXT_NONE:
			return;
		case NEXT_SKIP:
			sched_end(&e->run, i, NODE_SKIPPED, w.now);
			drain(e);
			break;
		case NEXT_START:
			start_node(e, i);
			break;
		}
}

/* --- what happens --- */

/* Something of an attempt that runs; of one with a child, only its deadline. */
static inline void
attempt_event(struct sim_exe *e, uint32_t i, uint32_t element, bool late)
{
	if (e->plan->dag_of[i] == NULL) {
		if (rnd(100) < w.failing)
			attempt_failed(e, i, element, rnd(4) != 0);
		else
			complete(e, i, element, NODE_SUCCESS);
	} else if (late && rnd(100) == 0) {
		e->excused[i] = true;
		ask_stop(e, i, element);
		attempt_failed(e, i, element, true);
	}
}

static inline void
fan_event(struct sim_exe *e, uint32_t i, bool late)
{
	struct fanout *f = &e->fans[i];
	bool paused = e->run.paused != 0;
	uint32_t k;

	if (fanout_ended(f)) {
		complete(e, i, ELEMENT_NONE, fanout_state(f));
		return;
	}
	if (!paused && rnd(2) && fanout_next(f, &k)) {
		start_element(e, i, k);
		return;
	}
	k = rnd(f->count);
	if (node_state(&f->elements[k]) == NODE_RUNNING)
		attempt_event(e, i, k, late);
	else if (!paused && node_state(&f->elements[k]) == NODE_RETRY)
		start_element(e, i, k);
}

/* late: deadlines of nodes may pass. */
static inline void
exe_event(struct sim_exe *e, bool late)
{
	uint32_t i = rnd(e->run.node_count);

	if (node_state(&e->run.nodes[i]) == NODE_RETRY)
		sched_retry(&e->run, i);
	else if (e->running[i] && e->plan->nodes[i].for_each != 0)
		fan_event(e, i, late);
	else if (e->running[i])
		attempt_event(e, i, ELEMENT_NONE, late);
}

static inline void
stop_running(struct sim_exe *e, uint32_t i)
{
	struct fanout *f = &e->fans[i];

	if (e->plan->nodes[i].for_each == 0) {
		ask_stop(e, i, ELEMENT_NONE);
		complete(e, i, ELEMENT_NONE, NODE_CANCELLED);
		return;
	}
	fanout_stop(f);
	fan_close(e, i);
	for (uint32_t k = 0; k < f->count; k++)
		if (node_state(&f->elements[k]) == NODE_RUNNING) {
			ask_stop(e, i, k);
			complete(e, i, k, NODE_CANCELLED);
		}
}

/* The server reads the row's columns of control. */
static inline void
exe_control(struct sim_exe *e)
{
	if (e->paused)
		sched_pause(&e->run);
	else
		sched_resume(&e->run);
	if (e->stop == RUN_GO || atomic_load(&e->state.stop) != RUN_GO ||
	    sched_ended(&e->run))
		return;
	sched_stop(&e->run, e->stop, w.now);
	drain(e);
	for (uint32_t i = 0; i < e->run.node_count; i++)
		if (e->running[i])
			stop_running(e, i);
}

/* --- lives --- */

static inline void
exe_drop(struct sim_exe *e)
{
	free(e->memory);
	e->memory = NULL;
	e->logged = e->durable;
}

/* The records are left. */
static inline void
exe_revive(struct sim_exe *e)
{
	run_view(&e->run, &e->plan->head, &e->state, e->memory);
	sched_rebuild(&e->run, ends_durable(e), w.now);
	for (uint32_t i = 0; i < e->run.node_count; i++)
		if (record_is_cut_off(&e->run.nodes[i]))
			record_interrupted(&e->run.nodes[i],
			    e->plan->dag_of[i] != NULL ||
				e->plan->nodes[i].for_each != 0);
	memset(e->running, 0, sizeof(e->running));
	drain(e);
	exe_control(e);
}

static inline void
exe_replay(struct sim_exe *e, const struct entry *n)
{
	struct run_event event = {.node = n->node,
	    .element = n->element,
	    .kind = n->kind,
	    .attempt = n->end.attempts,
	    .started_ns = n->end.completed_ns,
	    .completed_ns = n->end.completed_ns};

	if (n->kind == NODE_END) {
		e->run.nodes[n->node] = n->end;
		e->run.order[e->known++] = n->node;
	} else if (!is_end(n)) {
		record_restore(&e->plan->nodes[n->node],
		    record_of(e, n->node, n->element), &event, rnd(1000));
	}
}

/* The journal's committed prefix is left; at first it is empty. */
static inline void
exe_load(struct sim_exe *e)
{
	assert_false(e->finished);
	assert_null(e->memory);
	e->memory = calloc(1, run_memory_size(e->plan->head.node_count));
	assert_non_null(e->memory);
	memset(&e->state, 0, sizeof(e->state));
	memset(e->elements, 0, sizeof(e->elements));
	e->known = 0;
	run_view(&e->run, &e->plan->head, &e->state, e->memory);
	for (uint32_t k = 0; k < e->durable; k++)
		exe_replay(e, &e->log[k]);
	atomic_store(&e->state.completed, e->known);
	exe_revive(e);
}

static inline void
world_create(void)
{
	w.exe_count = w.ask_count = 0;
	w.now = 0;
	w.step = 0;
	w.failing = rnd(3) == 0 ? 0 : rnd(50);
	memset(w.plans, 0, sizeof(w.plans));
	for (uint32_t k = 0; k < PLANS; k++)
		plan_random(&w.plans[k]);
}

static inline void
world_destroy(void)
{
	for (uint32_t k = 0; k < w.exe_count; k++)
		free(w.exes[k]);
}

#endif
