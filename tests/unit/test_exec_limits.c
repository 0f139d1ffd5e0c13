/* The executor at its limits: full memory, an absent database, big runs beside
 * small ones, many threads, an arena that ends. */
#include "exec_host.h"

#include <pthread.h>

#include "exec/arena.h"

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

/* An organization holds at most eight times what is free. */
static void
one_organization_never_takes_all_slots(void **state)
{
	struct exec *exec = exec_small();
	uint32_t held[2] = {0};

	(void)state;
	for (uint32_t org = 0; org < 2; org++) {
		struct run_start start = {.organization = execution_id(org + 1),
		    .context = "{}",
		    .context_len = 2};
		struct run_ref ref;
		struct err e = {0};

		start.execution = execution_id(7);
		while (exec_reserve(exec, &start, &ref, &e) == 0)
			held[org]++;
		assert_string_equal(e.code, "executor_full");
	}
	assert_in_range(held[0], 224, 230);
	assert_in_range(held[1], 20, 26);
	exec_destroy(exec);
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
	s.run_bytes = s.shm_bytes;
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
results_of_one_run_leave_memory_to_others(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_of_equals("n", 100,
	    ",\"op\":\"lua\",\"with\":{\"script\":"
	    "\"return string.rep('x', 100000)\"}");
	struct db_execution *x = &db->list[0];
	size_t before;

	(void)state;
	plan_put(exec, &p);
	before = bytes_free(exec);
	run_go(exec, 0, &p, NULL);
	run_wait(exec, db, 0);
	db_check(x, 100);
	assert_int_equal(x->status, RUN_FAILED);
	assert_int_equal(x->succeeded, (8u << 20) / 4 / 100002);
	assert_non_null(strstr(x->error, "a quarter of shared_memory"));
	assert_empty(exec, before);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
large_results_are_written_in_several_ranges(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(1);
	struct test_plan p = plan_of_equals("n", 100,
	    ",\"op\":\"lua\",\"with\":{\"script\":"
	    "\"return string.rep('x', 100000)\"}");
	struct exec *exec;

	(void)state;
	s.shm_bytes = 64u << 20;
	s.flush_ns = 1000000000;
	exec = exec_with(&s);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	run_wait(exec, db, 0);
	db_check(&db->list[0], 100);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	assert_int_equal(db->list[0].rows, 3); /* of 4 MiB */
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_resumption_without_room_gives_back_what_it_took(void **state)
{
	struct exec_settings s = small_settings();
	struct test_plan p = plan_of_equals("n", 20, "");
	char *result = malloc(100000);
	struct run_done done[20];
	struct run_resume resume = {
	    .started_us = clock_real_us(), .count = 20, .done = done};
	struct run_ref ref, other;
	struct exec *exec;
	struct err e = {0};
	size_t before;
	char *context = calloc(1, 1200000);
	struct run_start start = {.execution = execution_id(7),
	    .context = context,
	    .context_len = 1200000};

	(void)state;
	memset(result, '1', 100000);
	for (uint32_t k = 0; k < 20; k++)
		done[k] = (struct run_done){.node = k,
		    .element = ELEMENT_NONE,
		    .kind = EVENT_SUCCESS,
		    .attempts = 1,
		    .result = result,
		    .result_len = 100000};
	s.shm_bytes = 3u << 20;
	exec = exec_with(&s);
	plan_put(exec, &p);
	ref = run_reserve(exec, 0);
	if (exec_reserve(exec, &start, &other, &e) != 0)
		fail_msg("%s", e.message);
	before = bytes_free(exec);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    exec_commit(exec, ref, &p.hash, &resume, &e), -1);
		assert_string_equal(e.code, "executor_full");
		assert_int_equal(bytes_free(exec), before);
	}
	exec_abandon(exec, other);
	if (exec_commit(exec, ref, &p.hash, &resume, &e) != 0)
		fail_msg("%s", e.message);
	exec_destroy(exec);
	free(context);
	free(result);
	free(p.plan);
}

static void
a_history_larger_than_memory_is_refused(void **state)
{
	struct exec_settings s = small_settings();
	struct test_plan p = plan_of_equals("n", 20, "");
	char *result = malloc(200000);
	struct run_done done[20];
	struct run_resume resume = {
	    .started_us = clock_real_us(), .count = 20, .done = done};
	struct exec *exec;
	struct err e = {0};

	(void)state;
	memset(result, '1', 200000);
	for (uint32_t k = 0; k < 20; k++)
		done[k] = (struct run_done){.node = k,
		    .element = ELEMENT_NONE,
		    .kind = EVENT_SUCCESS,
		    .attempts = 1,
		    .result = result,
		    .result_len = 200000};
	s.shm_bytes = 3u << 20;
	exec = exec_with(&s);
	plan_put(exec, &p);
	assert_int_equal(
	    exec_commit(exec, run_reserve(exec, 0), &p.hash, &resume, &e), -1);
	assert_string_equal(e.code, "run_too_large");
	exec_destroy(exec);
	free(result);
	free(p.plan);
}

static void
a_run_that_waits_for_memory_can_be_cancelled(void **state)
{
	struct exec_settings s = small_settings();
	struct db *db = db_create(1);
	struct test_plan p = plan_of_equals("n", 20000, "");
	struct uuid id = execution_id(0);
	struct run_start start = {.execution = execution_id(1)};
	struct run_ref ref;
	struct exec *exec;
	struct err e = {0};
	char *context;

	(void)state;
	s.shm_bytes = 6u << 20;
	s.reserve_bytes = 4096;
	exec = exec_with(&s);
	plan_put(exec, &p);
	start.context_len = bytes_free(exec) - 500000;
	start.context = context = calloc(1, start.context_len);
	assert_int_equal(exec_reserve(exec, &start, &ref, &e), 0);
	run_go(exec, 0, &p, NULL);
	host_step(exec, db, 50);
	assert_int_equal(db->list[0].status, RUN_PENDING);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_CANCELLED);
	assert_int_equal(db->list[0].rows, 0);
	assert_true(db->list[0].started_us > 0);
	exec_destroy(exec);
	db_free(db);
	free(context);
	free(p.plan);
}

/* False: there is no room now. */
static bool
run_try(struct exec *exec, uint32_t k, const struct test_plan *p)
{
	struct run_start start = {
	    .execution = execution_id(k), .context = "{}", .context_len = 2};
	struct run_ref ref;

	if (exec_reserve(exec, &start, &ref, NULL) != 0)
		return false;
	if (exec_plan_put(exec, &p->hash, p->plan, p->plan->size, NULL) == 0 &&
	    exec_commit(exec, ref, &p->hash, NULL, NULL) == 0)
		return true;
	exec_abandon(exec, ref);
	return false;
}

/* Small runs come all the time; the large one needs 180 adjacent blocks of
 * what they leave. */
static void
a_large_run_begins_beside_a_stream_of_small_ones(void **state)
{
	struct exec_settings s = small_settings();
	struct test_plan big = plan_of_equals("n", 20000, "");
	struct test_plan small = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\",\"with\":"
	    "{\"duration\":\"20ms\"}}]}");
	struct uuid id = execution_id(0);
	struct run_start start = {.context = "{}", .context_len = 2};
	int64_t end = clock_mono_ns() + 20000000000;
	struct journal_entry list[64];
	struct run_ref ref;
	struct exec *exec;
	uint32_t k = 1;
	bool begun = false;

	(void)state;
	s.max_runs = 4096;
	s.shm_bytes = 6u << 20;
	s.reserve_bytes = 100000;
	exec = exec_with(&s);
	plan_put(exec, &small);
	do {
		size_t n = journal_collect(exec, list, 64);

		journal_committed(exec, list, n);
		if (k > 2000 && !begun)
			begun = run_try(exec, 0, &big);
		start.execution = execution_id(k);
		if (exec_reserve(exec, &start, &ref, NULL) != 0)
			continue;
		assert_int_equal(
		    exec_commit(exec, ref, &small.hash, NULL, NULL), 0);
		k++;
		assert_true(clock_mono_ns() < end);
	} while (!begun || exec_find(exec, &id, &ref));
	exec_destroy(exec);
	free(big.plan);
	free(small.plan);
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

static void
a_large_context_does_not_hold_up_other_runs(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(2);
	struct test_plan p = plan_of_equals("n", 120,
	    ",\"op\":\"delay\",\"with\":{\"duration\":\"${{ context.d }}\"}");
	struct test_plan small =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\"}]}");
	struct run_start start = {.execution = execution_id(0)};
	struct uuid id = execution_id(0);
	struct run_ref ref;
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "{\"d\":\"1ms\",\"l\":[0");
	while (b.len < 300000)
		buf_puts(&b, ",1000000");
	buf_puts(&b, "]}");
	start.context = b.data;
	start.context_len = b.len;
	plan_put(exec, &p);
	plan_put(exec, &small);
	assert_int_equal(exec_reserve(exec, &start, &ref, &e), 0);
	assert_int_equal(exec_commit(exec, ref, &p.hash, NULL, &e), 0);
	run_go(exec, 1, &small, NULL);
	run_wait(exec, db, 1);
	assert_true(exec_find(exec, &id, &ref));
	assert_true(atomic_load(&db->list[0].status) < RUN_SUCCESS);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	exec_destroy(exec);
	db_free(db);
	buf_free(&b);
	free(p.plan);
	free(small.plan);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		full_memory_refuses_new_runs_and_loses_no_completion),
	    cmocka_unit_test(one_organization_never_takes_all_slots),
	    cmocka_unit_test(
		runs_that_starve_each_other_fail_instead_of_hanging),
	    cmocka_unit_test(results_of_one_run_leave_memory_to_others),
	    cmocka_unit_test(large_results_are_written_in_several_ranges),
	    cmocka_unit_test(a_resumption_without_room_gives_back_what_it_took),
	    cmocka_unit_test(a_history_larger_than_memory_is_refused),
	    cmocka_unit_test(a_run_that_waits_for_memory_can_be_cancelled),
	    cmocka_unit_test(a_large_run_begins_beside_a_stream_of_small_ones),
	    cmocka_unit_test(
		a_journal_that_is_not_written_is_bounded_and_catches_up),
	    cmocka_unit_test(a_big_run_does_not_hold_up_a_small_one),
	    cmocka_unit_test(a_large_context_does_not_hold_up_other_runs),
	    cmocka_unit_test(threads_may_start_runs_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
