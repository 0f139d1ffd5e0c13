/* The executor with its threads: whole runs, as a host sees them. */
#include "exec_host.h"

/* One run of a definition from start to end; its row of the database. */
struct whole {
	struct exec *exec;
	struct db *db;
	struct test_plan plan;
	struct db_execution *x;
};

static struct whole
whole_run(const char *definition)
{
	struct whole w = {.exec = exec_small(), .db = db_create(1)};
	size_t before;

	w.plan = plan_from_json(definition);
	plan_put(w.exec, &w.plan);
	before = bytes_free(w.exec);
	run_go(w.exec, 0, &w.plan, NULL);
	run_wait(w.exec, w.db, 0);
	w.x = &w.db->list[0];
	db_check(w.x, w.plan.plan->node_count);
	assert_empty(w.exec, before);
	return w;
}

static void
whole_free(struct whole *w)
{
	exec_destroy(w->exec);
	db_free(w->db);
	free(w->plan.plan);
}

static const struct db_node *
node_of(const struct whole *w, const char *name)
{
	uint32_t i = plan_find(w->plan.plan, name, strlen(name));

	for (uint32_t k = 0; k < w->plan.plan->node_count; k++)
		if (w->x->nodes[k].node == i)
			return &w->x->nodes[k];
	fail_msg("node %s has no history", name);
	return NULL;
}

static void
a_run_of_noops_ends_in_one_journal_entry(void **state)
{
	struct whole w =
	    whole_run("{\"nodes\":[{\"name\":\"a\"},"
		      "{\"name\":\"b\",\"dependencies\":[\"a\"]},"
		      "{\"name\":\"c\",\"dependencies\":[\"a\",\"b\"]}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_SUCCESS);
	assert_int_equal(w.x->rows, 1);
	assert_int_equal(w.x->succeeded, 3);
	assert_int_equal(w.x->total, 3);
	assert_true(w.x->completed_us >= w.x->started_us);
	assert_string_equal(w.x->result, "-");
	assert_string_equal(w.x->error, "-");
	db_check_order(w.x, w.plan.plan);
	whole_free(&w);
}

static void
a_delay_waits_at_least_its_time(void **state)
{
	struct whole w =
	    whole_run("{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
		      "\"with\":{\"duration\":\"30ms\"}},"
		      "{\"name\":\"b\",\"dependencies\":[\"a\"]}]}");
	const struct db_node *a = node_of(&w, "a");

	(void)state;
	assert_int_equal(w.x->status, RUN_SUCCESS);
	assert_true(a->completed_us - a->started_us >= 30000);
	db_check_order(w.x, w.plan.plan);
	whole_free(&w);
}

static void
a_false_condition_skips_and_what_follows_is_skipped(void **state)
{
	struct whole w = whole_run(
	    "{\"nodes\":[{\"name\":\"a\",\"when\":\"context.day == 8\"},"
	    "{\"name\":\"b\",\"dependencies\":[\"a\"]},"
	    "{\"name\":\"c\",\"dependencies\":[\"a\"],"
	    "\"trigger\":\"none_failed\"}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_SUCCESS);
	assert_int_equal(node_of(&w, "a")->kind, EVENT_SKIPPED);
	assert_int_equal(node_of(&w, "b")->kind, EVENT_SKIPPED);
	assert_int_equal(node_of(&w, "c")->kind, EVENT_SUCCESS);
	assert_int_equal(node_of(&w, "b")->attempts, 1);
	whole_free(&w);
}

static void
results_of_leaves_become_the_result(void **state)
{
	struct whole w =
	    whole_run("{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
		      "\"with\":{\"script\":\"return context.day * 2\"}},"
		      "{\"name\":\"b x\",\"dependencies\":[\"a\"],"
		      "\"op\":\"lua\",\"with\":{\"script\":"
		      "\"return {n = nodes.a.result + 1}\"}},"
		      "{\"name\":\"c\",\"dependencies\":[\"a\"]}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_SUCCESS);
	assert_string_equal(node_of(&w, "a")->result, "14");
	assert_string_equal(w.x->result, "{\"b x\":{\"n\":15}}");
	whole_free(&w);
}

static void
a_failing_node_is_retried_then_fails_the_run(void **state)
{
	struct whole w =
	    whole_run("{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
		      "\"with\":{\"script\":\"error('no')\"},"
		      "\"retry\":{\"limit\":2,\"backoff\":\"1ms\"}},"
		      "{\"name\":\"b\",\"dependencies\":[\"a\"]},"
		      "{\"name\":\"c\",\"dependencies\":[\"a\"],"
		      "\"trigger\":\"any_failed\"}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_FAILED);
	assert_int_equal(node_of(&w, "a")->kind, EVENT_FAILED);
	assert_int_equal(node_of(&w, "a")->attempts, 3);
	assert_int_equal(node_of(&w, "b")->kind, EVENT_SKIPPED);
	assert_int_equal(node_of(&w, "c")->kind, EVENT_SUCCESS);
	assert_non_null(strstr(w.x->error, "Node \"a\" failed"));
	assert_non_null(strstr(node_of(&w, "a")->error, "no"));
	assert_int_equal(w.x->failed, 1);
	whole_free(&w);
}

static void
a_node_over_its_timeout_fails(void **state)
{
	struct whole w =
	    whole_run("{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
		      "\"timeout\":\"10ms\",\"with\":{\"duration\":\"1h\"}},"
		      "{\"name\":\"b\",\"op\":\"lua\",\"timeout\":\"10ms\","
		      "\"with\":{\"script\":\"while true do end\"}}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_FAILED);
	assert_string_equal(node_of(&w, "a")->error,
	    "The node took longer than its timeout of 10ms.");
	assert_string_equal(node_of(&w, "b")->error,
	    "The node took longer than its timeout of 10ms.");
	whole_free(&w);
}

static void
an_execution_over_its_timeout_fails_and_cleans_up(void **state)
{
	struct whole w = whole_run("{\"timeout\":\"15ms\",\"nodes\":["
				   "{\"name\":\"a\",\"op\":\"delay\","
				   "\"with\":{\"duration\":\"1h\"}},"
				   "{\"name\":\"b\",\"dependencies\":[\"a\"]},"
				   "{\"name\":\"c\",\"dependencies\":[\"a\"],"
				   "\"trigger\":\"all_done\"}]}");

	(void)state;
	assert_int_equal(w.x->status, RUN_FAILED);
	assert_int_equal(node_of(&w, "a")->kind, EVENT_CANCELLED);
	assert_int_equal(node_of(&w, "b")->kind, EVENT_CANCELLED);
	assert_int_equal(node_of(&w, "c")->kind, EVENT_SUCCESS);
	assert_string_equal(
	    w.x->error, "The execution took longer than its timeout of 15ms.");
	whole_free(&w);
}

#define WAITING                                                                \
	"{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","                        \
	"\"with\":{\"duration\":\"1h\"}},"                                     \
	"{\"name\":\"b\",\"dependencies\":[\"a\"]},"                           \
	"{\"name\":\"c\"}]}"

static void
a_cancelled_run_stops_what_runs(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(WAITING);
	struct uuid id = execution_id(0);
	size_t before;

	(void)state;
	plan_put(exec, &p);
	before = bytes_free(exec);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&db->list[0].status) != RUN_RUNNING)
		host_step(exec, db, 1000);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_CANCELLED);
	db_check(&db->list[0], 3);
	assert_false(exec_cancel(exec, &id));
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
cancelling_twice_leaves_cleanups_alone(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
			   "\"with\":{\"duration\":\"1h\"}},"
			   "{\"name\":\"b\",\"dependencies\":[\"a\"],"
			   "\"trigger\":\"all_done\",\"op\":\"delay\","
			   "\"with\":{\"duration\":\"40ms\"}}]}");
	struct uuid id = execution_id(0);
	struct db_execution *x = &db->list[0];

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&x->status) != RUN_RUNNING)
		host_step(exec, db, 1000);
	assert_true(exec_cancel(exec, &id));
	while (x->nodes[0].kind == 0) /* a is cancelled, b runs */
		host_step(exec, db, 1000);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 0);
	assert_int_equal(x->status, RUN_CANCELLED);
	assert_int_equal(x->nodes[0].kind, EVENT_CANCELLED);
	assert_int_equal(x->nodes[1].kind, EVENT_SUCCESS);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_run_cancelled_before_it_is_queued_starts_nothing(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(WAITING);
	struct uuid id = execution_id(0);
	struct run_ref ref;

	(void)state;
	plan_put(exec, &p);
	ref = run_reserve(exec, 0);
	assert_true(exec_cancel(exec, &id));
	assert_int_equal(exec_commit(exec, ref, &p.hash, NULL, NULL), 0);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_CANCELLED);
	for (int i = 0; i < 3; i++)
		assert_int_equal(db->list[0].nodes[i].kind, EVENT_CANCELLED);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
stale_handles_are_refused(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(WAITING);
	struct run_ref ref = run_reserve(exec, 0);
	struct run_ref found;
	struct uuid id = execution_id(0);
	struct err e = {0};

	(void)state;
	assert_true(exec_find(exec, &id, &found));
	assert_int_equal(found.slot, ref.slot);
	assert_int_equal(exec_commit(exec, ref, &p.hash, NULL, &e), -1);
	assert_string_equal(e.code, "plan_missing");
	exec_abandon(exec, ref);
	exec_abandon(exec, ref);
	assert_false(exec_find(exec, &id, &found));
	assert_int_equal(exec_commit(exec, ref, &p.hash, NULL, &e), -1);
	assert_string_equal(e.code, "stale_run");
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_resumed_run_goes_on_where_it_was(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\",\"with\":"
	    "{\"script\":\"error('must not run again')\"}},"
	    "{\"name\":\"b\",\"dependencies\":[\"a\"],\"op\":\"lua\","
	    "\"with\":{\"script\":\"return nodes.a.result\"}}]}");
	int64_t started = clock_real_us() - 5000000;
	struct run_done done = {.node = 0,
	    .element = ELEMENT_NONE,
	    .kind = EVENT_SUCCESS,
	    .attempts = 2,
	    .started_us = started,
	    .completed_us = started + 1000,
	    .result = "[1]",
	    .result_len = 3};
	struct run_resume resume = {
	    .started_us = started, .count = 1, .done = &done};
	struct db_execution *x = &db->list[0];

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, &resume);
	run_wait(exec, db, 0);
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(x->row[0], 0); /* the database has it already */
	assert_int_equal(x->row[1], 2);
	assert_int_equal(x->nodes[1].node, 1);
	assert_string_equal(x->result, "{\"b\":[1]}");
	assert_int_equal(x->started_us, started);
	assert_int_equal(x->succeeded, 2);
	assert_true(x->nodes[1].started_us >= 5000000);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_failed_write_is_offered_again_the_same(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
	    "\"op\":\"delay\",\"with\":{\"duration\":\"40ms\"}}]}");
	struct db_execution *x = &db->list[0];
	uint32_t first_range = 0;

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&x->status) < RUN_SUCCESS) {
		struct pollfd fd = {.fd = journal_fd(exec), .events = POLLIN};
		struct journal_entry list[4];
		uint64_t ignored;
		size_t n;

		poll(&fd, 1, 1000);
		assert_int_not_equal(read(fd.fd, &ignored, 8), 0);
		n = journal_collect(exec, list, 4);
		/* Written, but the answer was lost: nothing was learnt. */
		db_write(exec, db, list, n);
		if (n > 0 && list[0].count > 0 && list[0].first == 0)
			first_range++;
		if (first_range < 3)
			journal_failed(exec, list, n);
		else
			journal_committed(exec, list, n);
	}
	assert_true(first_range >= 3);
	db_check(x, 2);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
many_runs_at_once_all_end(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(600);
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
			   "\"dependencies\":[\"a\"],\"op\":\"delay\","
			   "\"with\":{\"duration\":\"2ms\"}},"
			   "{\"name\":\"c\",\"dependencies\":[\"a\"]},"
			   "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"]}]}");
	struct run_ref ref;
	size_t before;
	uint32_t k = 0;

	(void)state;
	plan_put(exec, &p);
	before = bytes_free(exec);
	while (atomic_load(&db->final) < db->count) {
		struct run_start start = {.execution = execution_id(k),
		    .context = "{}",
		    .context_len = 2};
		struct err e = {0};

		if (k < db->count &&
		    exec_reserve(exec, &start, &ref, &e) == 0) {
			exec_commit(exec, ref, &p.hash, NULL, NULL);
			k++;
			continue;
		}
		if (k < db->count)
			assert_string_equal(e.code, "executor_full");
		host_step(exec, db, 1000);
	}
	for (k = 0; k < db->count; k++) {
		assert_int_equal(db->list[k].status, RUN_SUCCESS);
		db_check(&db->list[k], 4);
		db_check_order(&db->list[k], p.plan);
	}
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_run_of_noops_ends_in_one_journal_entry),
	    cmocka_unit_test(a_delay_waits_at_least_its_time),
	    cmocka_unit_test(
		a_false_condition_skips_and_what_follows_is_skipped),
	    cmocka_unit_test(results_of_leaves_become_the_result),
	    cmocka_unit_test(a_failing_node_is_retried_then_fails_the_run),
	    cmocka_unit_test(a_node_over_its_timeout_fails),
	    cmocka_unit_test(an_execution_over_its_timeout_fails_and_cleans_up),
	    cmocka_unit_test(a_cancelled_run_stops_what_runs),
	    cmocka_unit_test(cancelling_twice_leaves_cleanups_alone),
	    cmocka_unit_test(
		a_run_cancelled_before_it_is_queued_starts_nothing),
	    cmocka_unit_test(stale_handles_are_refused),
	    cmocka_unit_test(a_resumed_run_goes_on_where_it_was),
	    cmocka_unit_test(a_failed_write_is_offered_again_the_same),
	    cmocka_unit_test(many_runs_at_once_all_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
