/* Simulation of executions that run others: random plans whose nodes, or the
 * elements of their fan-outs, are DAGs again; servers that die with or without
 * their memory; notes that get lost. The schedulers are the real ones. The
 * table of children is PostgreSQL's, as children_*.sql have it: what is in a
 * row or in a journal's committed prefix stays, all else may go at any point.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "sim_sub_dag.h"

#define RUNS	    1500
#define STEPS_WILD  1500 /* then nothing bad happens any more */
#define SWEEP_STEPS 20
#define STEPS_MAX   400000 /* it hangs */

static bool crashes, stops;

/* --- the row's view: statements --- */

static struct sim_exe *
child_of(const struct ask *a)
{
	return find_child(a->exe->id, a->node, a->element, a->attempt);
}

/* Is told that it must end, will be, or lost who would tell it to a crash:
 * then the sweep does. */
static bool
is_told(const struct sim_exe *child)
{
	if (child->finished || child->stop != RUN_GO)
		return true;
	for (uint32_t k = 0; k < w.ask_count; k++)
		if (w.asks[k].stopped && child_of(&w.asks[k]) == child)
			return true;
	return w.exes[child->parent]->crashed;
}

/* children_ask.sql where it makes one; false: refused. */
static bool
make_child(const struct ask *a)
{
	const struct sim_exe *p = a->exe;
	const struct sim_exe *before =
	    find_child(p->id, a->node, a->element, a->attempt - 1u);
	struct sim_exe *child;

	if (p->finished || p->depth >= DEPTH_MAX || w.exe_count == EXE_MAX)
		return false;
	if (before != NULL)
		assert_true(is_told(before));
	child = exe_new(p->plan->dag_of[a->node], p->depth + 1, p->server);
	child->parent = p->id;
	child->node = a->node;
	child->element = a->element;
	child->attempt = a->attempt;
	if (rnd(8) != 0) /* else its server lost the answer */
		exe_load(child);
	return true;
}

static void
cancel_child(const struct ask *a)
{
	struct sim_exe *child = child_of(a);

	if (child != NULL && !child->finished && child->stop == RUN_GO)
		child->stop = RUN_STOP_CANCEL;
}

/* children_ask.sql; true: the request is answered. */
static bool
ask_statement(const struct ask *a, bool heard)
{
	const struct sim_exe *child = child_of(a);
	struct ask copy = *a;
	bool refused = child == NULL && !make_child(a);

	if (!heard || (!refused && (child == NULL || !child->finished)))
		return false;
	ask_remove(a);
	if (refused) {
		copy.exe->excused[copy.node] = true;
		attempt_failed(copy.exe, copy.node, copy.element, false);
	} else if (child->status == RUN_SUCCESS) {
		complete(copy.exe, copy.node, copy.element, NODE_SUCCESS);
	} else {
		attempt_failed(copy.exe, copy.node, copy.element,
		    child->status == RUN_FAILED);
	}
	return true;
}

static void
ask_step(struct ask *a)
{
	if (a->sent) {
		a->sent = false;
		ask_statement(a, !a->stopped);
	} else if (a->stopped) {
		cancel_child(a);
		ask_remove(a);
	} else if (a->wanted || rnd(8) == 0) { /* or it polls */
		a->sent = true;
		a->wanted = false;
	}
}

/* children_sweep.sql */
static void
sweep_children(void)
{
	for (uint32_t k = 1; k < w.exe_count; k++) {
		struct sim_exe *c = w.exes[k];

		if (c->parent == NOBODY || c->finished || c->stop != RUN_GO)
			continue;
		if (w.exes[c->parent]->finished ||
		    find_child(c->parent, c->node, c->element, c->attempt + 1u))
			c->stop = RUN_STOP_CANCEL;
	}
}

/* --- the ends of executions --- */

static void
check_children_told(const struct sim_exe *e)
{
	for (uint32_t k = 0; k < w.exe_count; k++)
		if (w.exes[k]->parent == e->id)
			assert_true(is_told(w.exes[k]));
	for (uint32_t k = 0; k < w.ask_count; k++)
		assert_true(w.asks[k].exe != e || w.asks[k].stopped);
}

static void
note_parent(const struct sim_exe *e)
{
	for (uint32_t k = 0; k < w.ask_count && rnd(3) != 0; k++)
		if (w.asks[k].exe->id == e->parent)
			w.asks[k].wanted = true;
}

static void
exe_finish(struct sim_exe *e)
{
	assert_false(e->finished);
	check_children_told(e);
	if (e->parent != NOBODY && e->stop == RUN_GO &&
	    w.exes[e->parent]->finished)
		assert_true(
		    w.step - w.exes[e->parent]->ended_at <= SWEEP_STEPS);
	e->finished = true;
	e->ended_at = w.step;
	e->status = sched_status(&e->run);
	exe_drop(e);
	note_parent(e);
}

/* The journal commits some more; the last of it ends the row. */
static void
exe_commit(struct sim_exe *e)
{
	if (rnd(2))
		tell_running(e);
	e->durable += rnd(e->logged - e->durable + 1);
	sched_release(&e->run, ends_durable(e));
	if (sched_ended(&e->run) && e->durable == e->logged)
		exe_finish(e);
}

/* --- crashes --- */

/* Of what a dead server had sent, some arrived. */
static void
lose_asks(uint32_t server)
{
	for (uint32_t k = w.ask_count; k-- > 0;) {
		struct ask *a = &w.asks[k];

		if (a->exe->server != server)
			continue;
		if (a->sent && rnd(2))
			ask_statement(a, false);
		else if (a->stopped && rnd(2))
			cancel_child(a);
		ask_remove(&w.asks[k]);
	}
}

static void
crash_server(uint32_t server, bool with_memory)
{
	lose_asks(server);
	for (uint32_t k = 0; k < w.exe_count; k++) {
		struct sim_exe *e = w.exes[k];

		if (e->server != server || e->finished)
			continue;
		e->crashed = true;
		if (with_memory) {
			e->server = rnd(SERVERS);
			exe_drop(e);
		} else if (e->memory != NULL) {
			exe_revive(e);
		}
	}
}

static void
crash(void)
{
	bool with_memory = rnd(2) != 0;

	if (rnd(3) != 0) {
		crash_server(rnd(SERVERS), with_memory);
		return;
	}
	for (uint32_t s = 0; s < SERVERS; s++)
		lose_asks(s);
	for (uint32_t s = 0; s < SERVERS; s++)
		crash_server(s, with_memory);
}

/* --- the world goes on --- */

static struct sim_exe *
any_unfinished(void)
{
	uint32_t first = rnd(w.exe_count);

	for (uint32_t k = 0; k < w.exe_count; k++)
		if (!w.exes[(first + k) % w.exe_count]->finished)
			return w.exes[(first + k) % w.exe_count];
	return NULL;
}

static void
exe_step(struct sim_exe *e, bool wild)
{
	if (e->memory == NULL) {
		if (rnd(4) == 0)
			exe_load(e);
		return;
	}
	if (stops && wild && e->stop == RUN_GO && rnd(150) == 0)
		e->stop = rnd(2) ? RUN_STOP_CANCEL : RUN_STOP_TIMEOUT;
	if (rnd(4) == 0)
		e->paused = wild && e->stop == RUN_GO && rnd(10) == 0;
	if (rnd(2))
		exe_control(e);
	exe_pull(e, 1 + rnd(4));
	exe_event(e, stops && wild);
	if (rnd(2))
		exe_commit(e);
}

static void
run_to_the_end(void)
{
	struct sim_exe *e;

	for (; (e = any_unfinished()) != NULL; w.step++) {
		bool wild = w.step < STEPS_WILD;

		assert_true(w.step < STEPS_MAX);
		w.now += rnd(50);
		exe_step(e, wild);
		if (w.ask_count > 0)
			ask_step(&w.asks[rnd(w.ask_count)]);
		if (crashes && wild && rnd(40) == 0)
			crash();
		if (w.step % SWEEP_STEPS == 0)
			sweep_children();
	}
}

/* --- what must be true of the rows afterwards --- */

static void
check_outcome(const struct sim_exe *e, const struct entry *n)
{
	enum node_state s = node_state(&n->end);
	const struct sim_exe *child =
	    find_child(e->id, n->node, n->element, n->end.attempts);

	if (s == NODE_SUCCESS)
		assert_true(child != NULL && child->status == RUN_SUCCESS);
	else if (s == NODE_FAILED && !e->excused[n->node])
		assert_true(child != NULL && child->status != RUN_SUCCESS);
	else if (s == NODE_CANCELLED && n->element == ELEMENT_NONE)
		assert_int_not_equal(e->stop, RUN_GO);
}

static void
check_rows(void)
{
	for (uint32_t k = 0; k < w.exe_count; k++) {
		const struct sim_exe *e = w.exes[k];

		assert_int_equal(ends_durable(e), e->plan->head.node_count);
		assert_true(k == 0 || e->parent < e->id);
		for (uint32_t i = 0; i < e->logged; i++) {
			const struct entry *n = &e->log[i];

			if (e->plan->dag_of[n->node] != NULL && is_end(n) &&
			    !(n->element == ELEMENT_NONE &&
				e->plan->nodes[n->node].for_each != 0))
				check_outcome(e, n);
		}
		for (uint32_t j = 1; j < k; j++)
			assert_false(e->parent == w.exes[j]->parent &&
				     e->node == w.exes[j]->node &&
				     e->element == w.exes[j]->element &&
				     e->attempt == w.exes[j]->attempt);
	}
}

static uint64_t first_seed, run_seed;

static void
simulate(bool with_stops, bool with_crashes)
{
	for (uint32_t i = 0; i < RUNS; i++) {
		run_seed = first_seed + i;
		seed = run_seed * 0x9e3779b97f4a7c15ull | 1;
		stops = with_stops;
		crashes = with_crashes;
		world_create();
		exe_load(exe_new(&w.plans[0], 0, rnd(SERVERS)));
		run_to_the_end();
		check_rows();
		world_destroy();
	}
	run_seed = 0;
}

static int
print_seed(void **state)
{
	(void)state;
	if (run_seed != 0)
		print_error("seed %llu: run the test with it to see it again\n",
		    (unsigned long long)run_seed);
	run_seed = 0;
	return 0;
}

static void
a_node_ends_as_its_child_does(void **state)
{
	(void)state;
	simulate(false, false);
}

static void
who_stops_tells_its_children(void **state)
{
	(void)state;
	simulate(true, false);
}

static void
crashes_neither_lose_nor_repeat_a_child(void **state)
{
	(void)state;
	simulate(false, true);
}

static void
crashes_leave_no_child_of_a_stopped_run_behind(void **state)
{
	(void)state;
	simulate(true, true);
}

/* An argument is the first seed. */
int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(
		a_node_ends_as_its_child_does, print_seed),
	    cmocka_unit_test_teardown(who_stops_tells_its_children, print_seed),
	    cmocka_unit_test_teardown(
		crashes_neither_lose_nor_repeat_a_child, print_seed),
	    cmocka_unit_test_teardown(
		crashes_leave_no_child_of_a_stopped_run_behind, print_seed),
	};

	first_seed = (uint64_t)time(NULL) * 100000;
	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
