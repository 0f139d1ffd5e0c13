/* Plans in shared memory: checked, found by hash, evicted only when unused. */
#include "exec_host.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "exec/arena.h"

static struct exec *
exec_of(size_t shm_bytes, unsigned max_plans)
{
	struct exec_settings s = small_settings();
	struct err e = {0};
	struct exec *exec;

	s.shm_bytes = shm_bytes;
	s.max_plans = max_plans;
	exec = exec_create(&s, &e);
	if (exec == NULL || exec_attach(exec, 0, &e) != 0)
		fail_msg("%s", e.message);
	return exec;
}

/* A plan of its own for every number. */
static struct test_plan
plan_number(unsigned n)
{
	char text[100];

	snprintf(text, sizeof(text), "{\"nodes\":[{\"name\":\"n%u\"}]}", n);
	return plan_from_json(text);
}

static void
a_plan_is_found_by_its_hash(void **state)
{
	struct exec *exec = exec_of(2u << 20, 8);
	struct test_plan a = plan_number(1), b = plan_number(2);
	struct exec_status s;

	(void)state;
	assert_false(exec_plan_find(exec, &a.hash));
	plan_put(exec, &a);
	plan_put(exec, &a);
	assert_true(exec_plan_find(exec, &a.hash));
	assert_false(exec_plan_find(exec, &b.hash));
	exec_status(exec, &s);
	assert_int_equal(s.plans, 1);
	exec_destroy(exec);
	free(a.plan);
	free(b.plan);
}

static void
a_plan_with_another_hash_is_refused(void **state)
{
	struct exec *exec = exec_of(2u << 20, 8);
	struct test_plan a = plan_number(1);
	struct err e = {0};

	(void)state;
	a.hash.bytes[31] ^= 1;
	assert_int_equal(
	    exec_plan_put(exec, &a.hash, a.plan, a.plan->size, &e), -1);
	assert_string_equal(e.code, "corrupted_plan");
	exec_destroy(exec);
	free(a.plan);
}

static void
a_corrupted_plan_is_refused(void **state)
{
	struct exec *exec = exec_of(2u << 20, 8);
	struct test_plan a = plan_number(1);
	struct err e = {0};

	(void)state;
	a.plan->edge_count++;
	document_hash((const char *)a.plan, a.plan->size, a.hash.bytes);
	assert_int_equal(
	    exec_plan_put(exec, &a.hash, a.plan, a.plan->size, &e), -1);
	assert_string_equal(e.code, "corrupted_plan");
	assert_false(exec_plan_find(exec, &a.hash));
	exec_destroy(exec);
	free(a.plan);
}

static void
the_least_recently_used_plan_makes_room(void **state)
{
	struct exec *exec = exec_of(2u << 20, 3);
	struct test_plan p[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		p[i] = plan_number(i);
	for (unsigned i = 0; i < 3; i++)
		plan_put(exec, &p[i]);
	assert_true(exec_plan_find(exec, &p[0].hash)); /* 1 is the oldest */
	plan_put(exec, &p[3]);
	assert_true(exec_plan_find(exec, &p[0].hash));
	assert_false(exec_plan_find(exec, &p[1].hash));
	assert_true(exec_plan_find(exec, &p[2].hash));
	assert_true(exec_plan_find(exec, &p[3].hash));
	exec_destroy(exec);
	for (unsigned i = 0; i < 4; i++)
		free(p[i].plan);
}

static void
a_plan_in_use_is_never_evicted(void **state)
{
	struct exec *exec = exec_of(2u << 20, 2);
	struct db *db = db_create(2);
	struct test_plan long_one =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
			   "\"with\":{\"duration\":\"1h\"}}]}");
	struct test_plan other = plan_number(1), third = plan_number(2);
	struct uuid id[2] = {execution_id(0), execution_id(1)};
	struct err e = {0};

	(void)state;
	plan_put(exec, &long_one);
	plan_put(exec, &other);
	run_go(exec, 0, &long_one, NULL);
	plan_put(exec, &third); /* in place of other */
	assert_true(exec_plan_find(exec, &long_one.hash));
	assert_false(exec_plan_find(exec, &other.hash));
	run_go(exec, 1, &third, NULL);
	assert_true(exec_find(exec, &id[1], &(struct run_ref){0}));
	assert_int_equal(
	    exec_plan_put(exec, &other.hash, other.plan, other.plan->size, &e),
	    -1);
	assert_string_equal(e.code, "shared_memory_full");
	run_wait(exec, db, 1);
	plan_put(exec, &other); /* the third's run has ended */
	assert_true(exec_plan_find(exec, &long_one.hash));
	exec_cancel(exec, &id[0]);
	run_wait(exec, db, 0);
	exec_destroy(exec);
	db_free(db);
	free(long_one.plan);
	free(other.plan);
	free(third.plan);
}

static void
plans_make_room_for_plans_in_memory(void **state)
{
	struct exec *exec = exec_of(1u << 20, 64);
	struct exec_status s, after;

	(void)state;
	exec_status(exec, &s);
	for (unsigned n = 0; n < 12; n++) {
		struct test_plan p;
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%u_", n);
		p = plan_of_equals(prefix, 1500, "");
		plan_put(exec, &p);
		assert_true(exec_plan_find(exec, &p.hash));
		free(p.plan);
	}
	exec_status(exec, &after);
	assert_true(after.plans >= 1 && after.plans < 12);
	assert_true(after.bytes_free < s.bytes_free);
	exec_destroy(exec);
}

static void
unused_plans_leave_room_for_runs(void **state)
{
	struct exec *exec = exec_of(2u << 20, 64);
	struct db *db = db_create(40);

	(void)state;
	for (uint32_t n = 0; n < db->count; n++) {
		struct test_plan p;
		char prefix[16];

		snprintf(prefix, sizeof(prefix), "p%u_", n);
		p = plan_of_equals(prefix, 1000, "");

		plan_put(exec, &p);
		free(p.plan);
	}
	/* Fails with executor_full where plans keep all memory. */
	exec_abandon(exec, run_reserve(exec, 0));
	exec_destroy(exec);
	db_free(db);
}

static void
runs_that_need_memory_evict_unused_plans(void **state)
{
	struct exec *exec = exec_of(1u << 20, 64);
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\",\"with\":{"
	    "\"script\":\"return string.rep('x', 150000)\"}}]}");
	struct test_plan q[2] = {
	    plan_of_equals("a", 4000, ""), plan_of_equals("b", 4500, "")};

	(void)state;
	plan_put(exec, &q[0]);
	plan_put(exec, &q[1]);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	assert_non_null(strstr(db->list[0].result, "xxx"));
	exec_destroy(exec);
	db_free(db);
	for (int i = 0; i < 2; i++)
		free(q[i].plan);
	free(p.plan);
}

static void
a_plan_that_can_never_run_here_is_refused(void **state)
{
	struct exec *exec = exec_of(1u << 20, 8);
	struct test_plan p = plan_of_equals("n", 9000, "");
	struct err e = {0};

	(void)state;
	assert_int_equal(
	    exec_plan_put(exec, &p.hash, p.plan, p.plan->size, &e), -1);
	assert_string_equal(e.code, "plan_too_large");
	exec_destroy(exec);
	free(p.plan);
}

/* Puts plans until it is killed. */
static void
put_for_ever(struct exec *exec)
{
	for (unsigned i = 0;; i++) {
		struct test_plan p = plan_number(i % 50);

		plan_put(exec, &p);
		free(p.plan);
	}
}

static void
a_killed_putter_leaves_lock_and_memory_in_order(void **state)
{
	struct exec_settings s = small_settings();
	struct exec_status before, after;
	struct test_plan last = plan_number(1000);
	struct exec *exec;

	(void)state;
	s.max_plans = 4;
	exec = exec_create(&s, NULL);
	exec_status(exec, &before);
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			put_for_ever(exec);
		usleep((useconds_t)(200 + i * 137));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	plan_put(exec, &last);
	assert_true(exec_plan_find(exec, &last.hash));
	/* Every plan here is one block; none is lost. */
	exec_status(exec, &after);
	assert_int_equal(
	    before.bytes_free - after.bytes_free, after.plans * SHM_BLOCK);
	exec_destroy(exec);
	free(last.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plan_is_found_by_its_hash),
	    cmocka_unit_test(a_plan_with_another_hash_is_refused),
	    cmocka_unit_test(a_corrupted_plan_is_refused),
	    cmocka_unit_test(the_least_recently_used_plan_makes_room),
	    cmocka_unit_test(a_plan_in_use_is_never_evicted),
	    cmocka_unit_test(plans_make_room_for_plans_in_memory),
	    cmocka_unit_test(unused_plans_leave_room_for_runs),
	    cmocka_unit_test(runs_that_need_memory_evict_unused_plans),
	    cmocka_unit_test(a_plan_that_can_never_run_here_is_refused),
	    cmocka_unit_test(a_killed_putter_leaves_lock_and_memory_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
