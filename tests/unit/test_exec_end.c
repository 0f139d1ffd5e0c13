/* test_exec_end.c - an orderly end: what was done is written, what was not is
 * left to the next. */
#include "exec_host.h"

static void
a_detached_arena_leaves_its_runs_to_the_next(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
	    "\"with\":{\"duration\":\"30ms\"}},"
	    "{\"name\":\"b\",\"op\":\"lua\",\"dependencies\":[\"a\"],"
	    "\"with\":{\"script\":\"return 1\"}}]}");
	size_t before;

	(void)state;
	plan_put(exec, &p);
	before = bytes_free(exec);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&db->list[0].status) != RUN_RUNNING)
		host_step(exec, db, 1000);
	exec_detach(exec);
	assert_int_equal(exec_attach(exec, 0, NULL), 0);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	db_check(&db->list[0], 2);
	assert_true(db->list[0].nodes[0].completed_us -
			db->list[0].nodes[0].started_us >=
		    30000);
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
what_ended_before_an_orderly_end_is_journalled_before_it(void **state)
{
	struct exec_settings settings;
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\"},"
	    "{\"name\":\"b\",\"op\":\"delay\",\"dependencies\":[\"a\"],"
	    "\"with\":{\"duration\":\"1h\"}}]}");
	struct db *db = db_create(1);
	struct exec_status status;
	struct exec *exec;

	(void)state;
	exec_settings_default(&settings);
	settings.arenas = 1;
	settings.shm_bytes = 16 << 20;
	settings.max_runs = 64;
	settings.flush_ns = INT64_C(3600) * 1000000000;
	settings.pin = false;
	assert_non_null(exec = exec_create(&settings, NULL));
	assert_int_equal(exec_attach(exec, 0, NULL), 0);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	do {
		host_step(exec, db, 1000);
		exec_status(exec, &status);
	} while (atomic_load(&db->list[0].status) != RUN_RUNNING ||
		 status.nodes_completed == 0);
	assert_int_equal(db->list[0].row[0], 0);
	exec_hold(exec);
	host_step(exec, db, 1000);
	assert_int_equal(db->list[0].row[0], 3);
	assert_int_equal(db->list[0].nodes[0].node, 0);
	assert_int_equal(db->list[0].nodes[0].kind, EVENT_SUCCESS);
	assert_int_equal(db->list[0].events[0].node, 1);
	assert_int_equal(db->list[0].events[0].kind, EVENT_STARTED);
	exec_detach(exec);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_detached_arena_leaves_its_runs_to_the_next),
	    cmocka_unit_test(
		what_ended_before_an_orderly_end_is_journalled_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
