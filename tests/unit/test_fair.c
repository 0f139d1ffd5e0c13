/* Queues that are fair between organizations, by priority within one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exec/fair.h"

static struct fair *
queue(uint32_t tenants)
{
	static struct fair f;

	assert_int_equal(fair_create(&f, tenants), 0);
	return &f;
}

static void
one_organization_is_served_in_the_order_of_arrival(void **state)
{
	struct fair *f = queue(1);
	struct fair_item items[40] = {0};

	(void)state;
	for (int i = 0; i < 40; i++)
		fair_push(f, &items[i], 0, 0);
	for (int i = 0; i < 40; i++)
		assert_ptr_equal(fair_pop(f), &items[i]);
	assert_null(fair_pop(f));
	fair_free(f);
}

static void
a_flood_of_one_organization_delays_others_by_one_turn(void **state)
{
	enum {
		FLOOD = 10000
	};
	struct fair *f = queue(8);
	struct fair_item *flood = calloc(FLOOD, sizeof(*flood));
	struct fair_item single = {0}, other = {0};

	(void)state;
	for (int i = 0; i < FLOOD; i++)
		fair_push(f, &flood[i], 3, PRIORITY_MAX);
	fair_push(f, &single, 5, PRIORITY_MIN);
	fair_push(f, &other, 7, 0);
	assert_ptr_equal(fair_pop(f), &flood[0]);
	assert_ptr_equal(fair_pop(f), &single);
	assert_ptr_equal(fair_pop(f), &other);
	assert_ptr_equal(fair_pop(f), &flood[1]);
	free(flood);
	fair_free(f);
}

static void
the_higher_priority_is_first_and_the_lowest_still_comes(void **state)
{
	struct fair *f = queue(1);
	struct fair_item low = {0}, high[2] = {{0}}, normal = {0};
	unsigned pops = 0;

	(void)state;
	fair_push(f, &low, 0, PRIORITY_MIN);
	fair_push(f, &normal, 0, 0);
	fair_push(f, &high[0], 0, 50);
	assert_ptr_equal(fair_pop(f), &high[0]);
	/* Ever new ones of a higher priority do not keep it out. */
	for (bool served = false; !served; pops++) {
		struct fair_item *item;

		fair_push(f, &high[0], 0, PRIORITY_MAX);
		fair_push(f, &high[1], 0, PRIORITY_MAX);
		item = fair_pop(f);
		served = item == &low;
	}
	assert_in_range(pops, 2, FAIR_AGED);
	fair_free(f);
}

static void
what_is_out_of_range_is_cut_not_lost(void **state)
{
	struct fair *f = queue(2);
	struct fair_item a = {0}, b = {0}, c = {0};

	(void)state;
	fair_push(f, &a, 77, -1000);
	fair_push(f, &b, 0, 1000);
	fair_push(f, &b, 1, 1000); /* is queued: stays */
	fair_push(f, &c, 0, PRIORITY_MAX);
	assert_int_equal(f->count, 3);
	assert_int_equal(fair_best_of(f, 0), PRIORITY_MAX);
	assert_ptr_equal(fair_pop(f), &b);
	fair_remove(f, &c);
	fair_remove(f, &c);
	assert_ptr_equal(fair_pop_of(f, 0), &a);
	assert_null(fair_pop_of(f, 0));
	assert_int_equal(f->count, 0);
	fair_free(f);
}

/* --- against a model that looks at everything --- */

#define ITEMS	320
#define TENANTS 7

struct model {
	struct fair_item items[ITEMS];
	int priority[ITEMS];
	uint64_t order[ITEMS];
	unsigned waited[ITEMS]; /* turns of its tenant */
};

/* The item is a fair choice for its tenant: the best or the oldest. */
static void
check_choice(const struct model *m, uint32_t k)
{
	bool best = true, oldest = true;

	for (uint32_t i = 0; i < ITEMS; i++) {
		if (!m->items[i].queued || i == k ||
		    m->items[i].tenant != m->items[k].tenant)
			continue;
		if (m->order[i] < m->order[k]) {
			oldest = false;
			best = best && m->priority[i] < m->priority[k];
		}
		best = best && m->priority[i] <= m->priority[k];
	}
	assert_true(best || oldest);
}

static void
simulate(unsigned seed)
{
	static struct model m;
	struct fair *f = queue(TENANTS);
	uint64_t pushes = 0, turns = 0, last[TENANTS] = {0};

	memset(&m, 0, sizeof(m));
	srand(seed);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t k = (uint32_t)rand() % ITEMS;
		struct fair_item *item = &m.items[k];
		unsigned what = (unsigned)rand() % 8;

		if (what < 4 && !item->queued) {
			uint32_t tenant = (uint32_t)rand() % TENANTS;

			if (!fair_any_of(f, tenant))
				last[tenant] = turns;
			m.priority[k] = rand() % 5 * 50 + PRIORITY_MIN;
			m.order[k] = pushes++;
			m.waited[k] = 0;
			fair_push(f, item, tenant, m.priority[k]);
		} else if (what == 4 && item->queued) {
			fair_remove(f, item);
		} else if (what > 4 && f->count > 0) {
			item = fair_pop(f);
			k = (uint32_t)(item - m.items);
			turns++;
			check_choice(&m, k);
			/* A tenant with items waits for one turn of each. */
			assert_true(turns - last[item->tenant] <= TENANTS);
			last[item->tenant] = turns;
			for (uint32_t i = 0; i < ITEMS; i++)
				if (m.items[i].queued &&
				    m.items[i].tenant == item->tenant)
					assert_true(
					    ++m.waited[i] <= FAIR_AGED * ITEMS);
		}
	}
	while (fair_pop(f) != NULL)
		;
	assert_int_equal(f->count, 0);
	for (uint32_t i = 0; i < ITEMS; i++)
		assert_false(m.items[i].queued);
	fair_free(f);
}

static void
any_sequence_is_served_fairly(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	for (unsigned i = 0; i < 10; i++)
		simulate(seed + i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		one_organization_is_served_in_the_order_of_arrival),
	    cmocka_unit_test(
		a_flood_of_one_organization_delays_others_by_one_turn),
	    cmocka_unit_test(
		the_higher_priority_is_first_and_the_lowest_still_comes),
	    cmocka_unit_test(what_is_out_of_range_is_cut_not_lost),
	    cmocka_unit_test(any_sequence_is_served_fairly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
