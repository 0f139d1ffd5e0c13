/* The executor with its threads: whole runs, as a host sees them. */
#include "exec_host.h"

#include <pthread.h>

#include "exec/arena.h"

static struct exec *
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

static struct exec *
exec_small(void)
{
	struct exec_settings s = small_settings();

	return exec_with(&s);
}

/* Nothing of runs is left in shared memory. */
static void
assert_empty(struct exec *exec, size_t bytes_free)
{
	struct exec_status s;

	exec_status(exec, &s);
	assert_int_equal(s.runs, 0);
	assert_int_equal(s.bytes_free, bytes_free);
}

static size_t
bytes_free(struct exec *exec)
{
	struct exec_status s;

	exec_status(exec, &s);
	return s.bytes_free;
}

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
	assert_int_equal(node_of(&w, "a")->state, OUTCOME_SKIPPED);
	assert_int_equal(node_of(&w, "b")->state, OUTCOME_SKIPPED);
	assert_int_equal(node_of(&w, "c")->state, OUTCOME_SUCCESS);
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
	assert_int_equal(node_of(&w, "a")->state, OUTCOME_FAILED);
	assert_int_equal(node_of(&w, "a")->attempts, 3);
	assert_int_equal(node_of(&w, "b")->state, OUTCOME_SKIPPED);
	assert_int_equal(node_of(&w, "c")->state, OUTCOME_SUCCESS);
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
	assert_int_equal(node_of(&w, "a")->state, OUTCOME_CANCELLED);
	assert_int_equal(node_of(&w, "b")->state, OUTCOME_CANCELLED);
	assert_int_equal(node_of(&w, "c")->state, OUTCOME_SUCCESS);
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
		assert_int_equal(db->list[0].nodes[i].state, OUTCOME_CANCELLED);
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
	    .state = OUTCOME_SUCCESS,
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
		if (n > 0 && list[0].count == 1 && list[0].first == 0)
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

/* --- memory --- */

static void
full_memory_refuses_new_runs_and_loses_no_completion(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(64);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
	    "\"with\":{\"duration\":\"5ms\"}},"
	    "{\"name\":\"b\",\"op\":\"lua\",\"dependencies\":[\"a\"],"
	    "\"with\":{\"script\":"
	    "\"return string.rep('x', 100000)\"}}]}");
	struct exec *exec;
	uint32_t started = 0, refused = 0;
	size_t before;

	(void)state;
	s.shm_bytes = 1u << 20;
	s.reserve_bytes = 800000;
	exec = exec_with(&s);
	plan_put(exec, &p);
	before = bytes_free(exec);
	while (started < db->count) {
		struct run_start start = {.execution = execution_id(started),
		    .context = "{}",
		    .context_len = 2};
		struct run_ref ref;
		struct err e = {0};

		if (exec_reserve(exec, &start, &ref, &e) == 0) {
			exec_commit(exec, ref, &p.hash, NULL, NULL);
			started++;
			continue;
		}
		assert_string_equal(e.code, "executor_full");
		refused++;
		host_step(exec, db, 1000);
	}
	while (atomic_load(&db->final) < db->count)
		host_step(exec, db, 1000);
	assert_true(refused > 0);
	for (uint32_t k = 0; k < db->count; k++) {
		assert_int_equal(db->list[k].status, RUN_SUCCESS);
		db_check(&db->list[k], 2);
	}
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
runs_that_starve_each_other_fail_instead_of_hanging(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(4);
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
	    "\"with\":{\"script\":\"return string.rep('x', 500000)\"}},"
	    "{\"name\":\"b\",\"op\":\"lua\",\"dependencies\":[\"a\"],"
	    "\"with\":{\"script\":\"return string.rep('x', 500000)\"}},"
	    "{\"name\":\"c\",\"dependencies\":[\"b\"]}]}");
	struct exec *exec;
	uint32_t failed = 0;
	size_t before;

	(void)state;
	s.shm_bytes = 2u << 20;
	s.reserve_bytes = 4096;
	exec = exec_with(&s);
	exec->arena->starve_ns = 1000000;
	plan_put(exec, &p);
	before = bytes_free(exec);
	for (uint32_t k = 0; k < db->count; k++)
		run_go(exec, k, &p, NULL);
	while (atomic_load(&db->final) < db->count)
		host_step(exec, db, 1000);
	for (uint32_t k = 0; k < db->count; k++) {
		db_check(&db->list[k], 3);
		failed += db->list[k].status == RUN_FAILED;
	}
	assert_true(failed > 0 && failed < db->count);
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_journal_that_is_not_written_is_bounded_and_catches_up(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(4096);
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\"}]}");
	struct run_start start = {.context = "{}", .context_len = 2};
	struct exec *exec;
	struct run_ref ref;
	uint32_t k = 0;
	struct err e = {0};

	(void)state;
	s.shm_bytes = 1u << 20;
	s.max_runs = 4096;
	s.shm_bytes = 3u << 20;
	exec = exec_with(&s);
	plan_put(exec, &p);
	/* The database is away: nothing is collected. */
	for (;;) {
		start.execution = execution_id(k);
		if (exec_reserve(exec, &start, &ref, &e) != 0)
			break;
		exec_commit(exec, ref, &p.hash, NULL, NULL);
		k++;
	}
	assert_string_equal(e.code, "executor_full");
	assert_true(k > 50 && k < db->count);
	while (journal_lag_ns(exec) == 0)
		;
	/* It is back: everything is written, and there is room again. */
	while (atomic_load(&db->final) < k)
		host_step(exec, db, 1000);
	assert_int_equal(journal_lag_ns(exec), 0);
	assert_int_equal(exec_reserve(exec, &start, &ref, &e), 0);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_big_run_does_not_hold_up_a_small_one(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(2);
	size_t size = 20000 * 60 + 100;
	char *text = malloc(size);
	struct test_plan big, small = plan_from_json("{\"nodes\":[{\"name\":"
						     "\"a\"}]}");
	struct exec *exec;
	size_t at = 0;

	(void)state;
	at += (size_t)snprintf(text, size, "{\"nodes\":[");
	for (int i = 0; i < 20000; i++)
		at += (size_t)snprintf(text + at, size - at,
		    i == 0 ? "{\"name\":\"n%d\"}"
			   : ",{\"name\":\"n%d\",\"dependencies\":[\"n%d\"]}",
		    i, i - 1);
	snprintf(text + at, size - at, "]}");
	big = plan_from_json(text);
	s.shm_bytes = 16u << 20;
	exec = exec_with(&s);
	plan_put(exec, &big);
	plan_put(exec, &small);
	run_go(exec, 0, &big, NULL);
	run_go(exec, 1, &small, NULL);
	for (;;) {
		struct uuid id = execution_id(0);
		struct exec_status status;
		struct journal_entry list[2];
		size_t n = journal_collect(exec, list, 2);

		exec_status(exec, &status);
		for (size_t i = 0; i < n; i++)
			if (list[i].status == RUN_SUCCESS &&
			    list[i].total_nodes == 1) {
				/* The big one still goes on, or it is not
				 * much older than the small one. */
				assert_true(
				    exec_find(exec, &id, &(struct run_ref){0}));
				goto ended;
			}
		journal_failed(exec, list, n);
	}
ended:
	exec_destroy(exec);
	db_free(db);
	free(big.plan);
	free(small.plan);
	free(text);
}

/* --- threads --- */

struct starter {
	struct exec *exec;
	struct db *db;
	const struct test_plan *plan;
};

static void *
start_runs(void *arg)
{
	struct starter *s = arg;

	for (;;) {
		uint32_t k = atomic_fetch_add(&s->db->taken, 1);
		struct run_start start = {.execution = execution_id(k),
		    .context = "{}",
		    .context_len = 2};
		struct run_ref ref;

		if (k >= s->db->count)
			return NULL;
		while (exec_reserve(s->exec, &start, &ref, NULL) != 0)
			usleep(200);
		exec_commit(s->exec, ref, &s->plan->hash, NULL, NULL);
	}
}

static void
threads_may_start_runs_at_once(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(2000);
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
			   "\"dependencies\":[\"a\"]}]}");
	struct starter s = {exec, db, &p};
	pthread_t threads[3];
	size_t before;

	(void)state;
	plan_put(exec, &p);
	before = bytes_free(exec);
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, start_runs, &s);
	while (atomic_load(&db->final) < db->count)
		host_step(exec, db, 1000);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t k = 0; k < db->count; k++)
		db_check(&db->list[k], 2);
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

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
	    cmocka_unit_test(
		a_run_cancelled_before_it_is_queued_starts_nothing),
	    cmocka_unit_test(stale_handles_are_refused),
	    cmocka_unit_test(a_resumed_run_goes_on_where_it_was),
	    cmocka_unit_test(a_failed_write_is_offered_again_the_same),
	    cmocka_unit_test(many_runs_at_once_all_end),
	    cmocka_unit_test(
		full_memory_refuses_new_runs_and_loses_no_completion),
	    cmocka_unit_test(
		runs_that_starve_each_other_fail_instead_of_hanging),
	    cmocka_unit_test(
		a_journal_that_is_not_written_is_bounded_and_catches_up),
	    cmocka_unit_test(a_big_run_does_not_hold_up_a_small_one),
	    cmocka_unit_test(threads_may_start_runs_at_once),
	    cmocka_unit_test(a_detached_arena_leaves_its_runs_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
