/* Which nodes run again. */
#include "exec_host.h"

#include "dag/rerun.h"

/* a → b → d → e, a → c → d; f alone. */
static const char definition[] =
    "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\",\"dependencies\":[\"a\"]},"
    "{\"name\":\"c\",\"dependencies\":[\"a\"]},"
    "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"]},"
    "{\"name\":\"e\",\"dependencies\":[\"d\"],\"trigger\":\"all_done\"},"
    "{\"name\":\"f\"}]}";

struct fixture {
	struct test_plan plan;
	struct mem mem;
	struct rerun r;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->plan = plan_from_json(definition);
	mem_create(&f->mem, 0);
	f->r = (struct rerun){.mem = &f->mem,
	    .plan = f->plan.plan,
	    .plan_len = f->plan.plan->size,
	    .definition = definition,
	    .definition_len = strlen(definition),
	    .ops = op_table_set(),
	    .limits = &document_limits_default,
	    .ended = "5,0,2,1,3,4",
	    .states = "ssssss"};
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	mem_destroy(&f->mem);
	free(f->plan.plan);
	free(f);
	return 0;
}

/* keep: by node k or -. */
static void
expect(struct rerun *r, const char *keep)
{
	uint32_t runs = 0;

	assert_int_equal(rerun_choose(r), RERUN_READY);
	assert_int_equal(r->node_count, 6);
	for (uint32_t i = 0; i < 6; i++) {
		assert_int_equal(r->keep[i], keep[i] == 'k');
		runs += keep[i] != 'k';
	}
	assert_int_equal(r->runs, runs);
}

static void
named_nodes_run_with_all_that_depend_on_them(void **state)
{
	struct fixture *f = *state;
	const char *const c[] = {"c"}, *const a[] = {"a", "a"};
	const char *const two[] = {"e", "f"};

	f->r.names = c;
	f->r.name_count = 1;
	expect(&f->r, "kk---k");
	f->r.names = a;
	f->r.name_count = 2;
	expect(&f->r, "-----k");
	f->r.names = two;
	expect(&f->r, "kkkk--");
}

static void
what_failed_or_was_cancelled_runs_with_all_that_depends_on_it(void **state)
{
	struct fixture *f = *state;

	f->r.failed = true;
	f->r.ended = "0,1,2,3,4,5";
	f->r.states = "sfsksk";
	expect(&f->r, "k-k--k");
	f->r.states = "ssscss";
	expect(&f->r, "kkk--k");
	f->r.states = "ssksss"; /* skipped by itself */
	assert_int_equal(rerun_choose(&f->r), RERUN_NOTHING);
}

static void
what_has_no_result_runs(void **state)
{
	struct fixture *f = *state;
	const char *const names[] = {"f"};

	f->r.names = names;
	f->r.name_count = 1;
	f->r.ended = "0,1";
	f->r.states = "ss";
	expect(&f->r, "kk----");
	f->r.ended = f->r.states = NULL; /* nothing at all was recorded */
	expect(&f->r, "------");
	f->r.ended = "99,4294967296,0";
	f->r.states = "sss";
	expect(&f->r, "k-----");
}

static void
an_unknown_name_is_told(void **state)
{
	struct fixture *f = *state;
	const char *const names[] = {"a", "b", "nobody", "c"};

	f->r.names = names;
	f->r.name_count = 4;
	assert_int_equal(rerun_choose(&f->r), RERUN_UNKNOWN);
	assert_int_equal(f->r.unknown, 2);
}

static void
without_a_sound_plan_the_definition_is_compiled(void **state)
{
	struct fixture *f = *state;
	const char *const names[] = {"d"};

	f->r.names = names;
	f->r.name_count = 1;
	f->r.plan = NULL;
	expect(&f->r, "kkk--k");
	f->plan.plan->version++;
	f->r.plan = f->plan.plan;
	expect(&f->r, "kkk--k");
	f->r.definition_len--;
	assert_int_equal(rerun_choose(&f->r), RERUN_BROKEN);
	assert_string_equal(f->r.fault.code, "invalid_definition");
}

static void
running_out_of_memory_is_told_at_every_allocation(void **state)
{
	struct fixture *f = *state;
	const char *const names[] = {"d"};
	long n = -1;

	f->r.names = names;
	f->r.name_count = 1;
	f->r.plan = NULL;
	do {
		mem_destroy(&f->mem);
		mem_create(&f->mem, 0);
		mem_fail_after(++n);
		if (rerun_choose(&f->r) == RERUN_READY)
			break;
		assert_non_null(f->r.fault.code);
	} while (n < 10000);
	mem_fail_after(-1);
	assert_in_range(n, 3, 9999);
	mem_destroy(&f->mem);
	mem_create(&f->mem, 0);
	expect(&f->r, "kkk--k");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(named_nodes_run_with_all_that_depend_on_them),
	    TEST(what_failed_or_was_cancelled_runs_with_all_that_depends_on_it),
	    TEST(what_has_no_result_runs),
	    TEST(an_unknown_name_is_told),
	    TEST(without_a_sound_plan_the_definition_is_compiled),
	    TEST(running_out_of_memory_is_told_at_every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
