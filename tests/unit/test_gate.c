/* Places of organizations: never more than the limit, none lost with an arena
 * that dies at any moment, everyone who waits gets one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exec/gate.h"

#define ARENAS 4
#define GATES  3

static struct gate list[GATES];
static struct gate_cell cells[ARENAS * GATES];

static struct gates
gates_new(uint32_t limit)
{
	struct gates g = {
	    .list = list, .cells = cells, .count = GATES, .arenas = ARENAS};

	memset(list, 0, sizeof(list));
	memset(cells, 0, sizeof(cells));
	for (int i = 0; i < GATES; i++)
		atomic_store(&list[i].limit, limit);
	return g;
}

static void
a_free_place_goes_to_the_most_urgent_then_in_turn(void **state)
{
	struct gates g = gates_new(1);

	(void)state;
	assert_true(gate_take(&g, 1, 0));
	for (uint32_t i = 1; i < ARENAS; i++) {
		assert_false(gate_take(&g, 1, i));
		gate_want(&g, 1, i, i == 3 ? 200 : 100);
	}
	assert_int_equal(gate_grant(&g, 1), GATE_NONE);
	gate_free(&g, 1, 0);
	assert_int_equal(gate_grant(&g, 1), 3);
	/* Granted is taken. */
	assert_int_equal(gate_used(&g, 1), 1);
	assert_int_equal(gate_collect(&g, 1, 3), 1);
	assert_int_equal(gate_collect(&g, 1, 3), 0);
	gate_free(&g, 1, 3);
	/* Not past those who wait. */
	assert_false(gate_take(&g, 1, 0));
	assert_int_equal(gate_grant(&g, 1), 1);
	gate_collect(&g, 1, 1);
	gate_free(&g, 1, 1);
	assert_int_equal(gate_grant(&g, 1), 2);
	assert_int_equal(gate_used(&g, 0), 0);
}

static void
a_raised_limit_lets_in_and_a_lowered_one_throws_nobody_out(void **state)
{
	struct gates g = gates_new(2);

	(void)state;
	assert_true(gate_take(&g, 0, 0) && gate_take(&g, 0, 1));
	atomic_store(&list[0].limit, 1);
	assert_int_equal(gate_used(&g, 0), 2);
	gate_free(&g, 0, 0);
	assert_false(gate_take(&g, 0, 0));
	gate_want(&g, 0, 0, 5);
	assert_int_equal(gate_grant(&g, 0), GATE_NONE);
	atomic_store(&list[0].limit, GATE_OPEN);
	assert_int_equal(gate_grant(&g, 0), 0);
	atomic_store(&list[0].limit, GATE_GONE);
	assert_false(gate_take(&g, 0, 2));
}

/* --- simulation: arenas with queues, that die between any two steps --- */

struct arena {
	unsigned runs, queue; /* of one gate: hold a place, wait for one */
	unsigned begun, ended;
};

struct world {
	struct gates g;
	struct arena arenas[ARENAS];
	unsigned limit, asked, ended, lost;
};

static void
check(const struct world *w)
{
	unsigned runs = 0;

	for (int i = 0; i < ARENAS; i++)
		runs += w->arenas[i].runs;
	assert_true(runs <= w->limit);
	assert_true(gate_used(&w->g, 0) >= runs);
	assert_true(gate_used(&w->g, 0) <= w->limit);
}

static void
want(struct world *w, uint32_t i)
{
	gate_want(&w->g, 0, i, w->arenas[i].queue > 0 ? 1 + i % 2 : 0);
}

static void
grant(struct world *w)
{
	while (gate_grant(&w->g, 0) != GATE_NONE)
		check(w);
}

static void
ask(struct world *w, uint32_t i)
{
	struct arena *a = &w->arenas[i];

	w->asked++;
	if (a->queue == 0 && gate_take(&w->g, 0, i)) {
		a->runs++;
		return;
	}
	a->queue++;
	want(w, i);
	grant(w);
}

static void
collect(struct world *w, uint32_t i)
{
	struct arena *a = &w->arenas[i];

	for (uint32_t n = gate_collect(&w->g, 0, i); n > 0; n--) {
		if (a->queue > 0) {
			a->queue--;
			a->runs++;
		} else {
			gate_free(&w->g, 0, i);
		}
	}
	want(w, i);
	grant(w);
}

/* crash: it dies before it passes its place on. */
static void
end(struct world *w, uint32_t i, bool crash)
{
	struct arena *a = &w->arenas[i];

	if (a->runs == 0)
		return;
	a->runs--;
	w->ended++;
	gate_free(&w->g, 0, i);
	if (!crash)
		grant(w);
}

/* What it ran and what waited there is run again by others. */
static void
die(struct world *w, uint32_t i)
{
	struct arena lost = w->arenas[i];
	uint32_t taker = (i + 1) % ARENAS;

	memset(&w->arenas[i], 0, sizeof(w->arenas[i]));
	gate_clear(&w->g, 0, i);
	grant(w);
	for (unsigned k = 0; k < lost.runs + lost.queue; k++) {
		w->asked--;
		ask(w, taker);
	}
}

static void
simulate(unsigned seed)
{
	struct world w = {.g = gates_new(0)};

	srand(seed);
	w.limit = (unsigned)rand() % 5 + 1;
	atomic_store(&list[0].limit, w.limit);
	for (unsigned step = 0; step < 4000; step++) {
		uint32_t i = (uint32_t)rand() % ARENAS;

		switch (rand() % 8) {
		case 0:
		case 1:
		case 2:
			ask(&w, i);
			break;
		case 3:
			collect(&w, i);
			break;
		case 4:
			if (rand() % 20 == 0) {
				end(&w, i, true);
				die(&w, i);
			}
			break;
		default:
			end(&w, i, false);
			break;
		}
		check(&w);
	}
	/* Everyone gets a place in the end, and none is left over. */
	for (unsigned round = 0; w.ended < w.asked; round++) {
		assert_true(round < 100000);
		for (uint32_t i = 0; i < ARENAS; i++) {
			collect(&w, i);
			end(&w, i, false);
		}
		check(&w);
	}
	for (uint32_t i = 0; i < ARENAS; i++)
		collect(&w, i);
	assert_int_equal(gate_used(&w.g, 0), 0);
}

static void
no_place_leaks_and_nobody_starves_whoever_dies(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (unsigned i = 0; i < 300; i++)
		simulate(seed + i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_free_place_goes_to_the_most_urgent_then_in_turn),
	    cmocka_unit_test(
		a_raised_limit_lets_in_and_a_lowered_one_throws_nobody_out),
	    cmocka_unit_test(no_place_leaks_and_nobody_starves_whoever_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
