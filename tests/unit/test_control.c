/* What is asked of runs from outside: pause and resume, whatever else happens
 * to them meanwhile. */
#include "exec_host.h"

/* Nothing starts on its own once `first` has ended. */
static const char chain[] =
    "{\"nodes\":[{\"name\":\"first\",\"op\":\"delay\","
    "\"with\":{\"duration\":\"2ms\"}},"
    "{\"name\":\"second\",\"dependencies\":[\"first\"]},"
    "{\"name\":\"cleanup\",\"dependencies\":[\"second\"],"
    "\"trigger\":\"all_done\"}]}";

struct fixture {
	struct exec *exec;
	struct db *db;
	struct test_plan plan, other;
	size_t free;
};

static void
setup_with(struct fixture *f, const char *definition)
{
	f->exec = exec_small();
	f->db = db_create(8);
	f->plan = plan_from_json(definition);
	f->other = plan_from_json("{\"nodes\":[{\"name\":\"a\"}]}");
	plan_put(f->exec, &f->plan);
	plan_put(f->exec, &f->other);
	f->free = bytes_free(f->exec);
}

static void
teardown(struct fixture *f)
{
	assert_empty(f->exec, f->free);
	exec_destroy(f->exec);
	db_free(f->db);
	free(f->plan.plan);
	free(f->other.plan);
}

static const struct uuid *
id(uint32_t k)
{
	static struct uuid ids[2];
	static unsigned next;

	next = !next;
	ids[next] = execution_id(k);
	return &ids[next];
}

/* How many of its nodes have ended, as the database knows. */
static uint32_t
recorded(const struct db_execution *x)
{
	uint32_t rows = 0, events = 0;

	while (rows < DB_ROWS && x->row[rows] > 1) {
		events += x->events_in[rows];
		rows += x->row[rows] - 1;
	}
	return rows - events;
}

/* Until so many nodes of execution 0 are recorded. */
static void
wait_recorded(struct fixture *f, uint32_t nodes)
{
	while (recorded(&f->db->list[0]) < nodes)
		host_step(f->exec, f->db, 1000);
}

/* The arena has done all that it had to do before: another run went through
 * it, and what it had completed was written. */
static void
let_it_work(struct fixture *f, uint32_t k)
{
	run_go(f->exec, k, &f->other, NULL);
	run_wait(f->exec, f->db, k);
	for (int i = 0; i < 3; i++)
		host_step(f->exec, f->db, 10);
}

static void
a_paused_run_starts_nothing_until_it_is_resumed(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, chain);
	x = &f.db->list[0];
	run_go(f.exec, 0, &f.plan, NULL);
	assert_true(exec_pause(f.exec, id(0)));
	assert_true(exec_pause(f.exec, id(0)));
	if (recorded(x) == 0 && x->status == RUN_PENDING)
		let_it_work(&f, 1);
	exec_resume(f.exec, id(0));
	wait_recorded(&f, 1);
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(x->succeeded, 3);
	teardown(&f);
}

/* Runs execution 0 until its first node has begun, then pauses it. */
static void
pause_running(struct fixture *f)
{
	run_go(f->exec, 0, &f->plan, NULL);
	while (atomic_load(&f->db->list[0].status) != RUN_RUNNING)
		host_step(f->exec, f->db, 1000);
	assert_true(exec_pause(f->exec, id(0)));
}

static const char slow[] =
    "{\"nodes\":[{\"name\":\"first\",\"op\":\"delay\","
    "\"with\":{\"duration\":\"60ms\"}},"
    "{\"name\":\"second\",\"dependencies\":[\"first\"]},"
    "{\"name\":\"cleanup\",\"dependencies\":[\"second\"],"
    "\"trigger\":\"all_done\"}]}";

static void
what_runs_when_it_is_paused_ends_and_nothing_follows(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, slow);
	x = &f.db->list[0];
	pause_running(&f);
	wait_recorded(&f, 1);
	let_it_work(&f, 1);
	assert_int_equal(recorded(x), 1);
	assert_int_equal(x->nodes[0].node, 0);
	assert_int_equal(x->status, RUN_RUNNING);
	assert_true(exec_resume(f.exec, id(0)));
	exec_resume(f.exec, id(0));
	run_wait(f.exec, f.db, 0);
	db_check(x, 3);
	assert_int_equal(x->status, RUN_SUCCESS);
	teardown(&f);
}

static void
a_run_that_is_paused_before_it_begins_stays_pending(void **state)
{
	struct fixture f;
	struct run_ref ref;
	struct err e = {0};

	(void)state;
	setup_with(&f, chain);
	ref = run_reserve(f.exec, 0);
	assert_true(exec_pause(f.exec, id(0)));
	assert_int_equal(exec_commit(f.exec, ref, &f.plan.hash, NULL, &e), 0);
	let_it_work(&f, 1);
	assert_int_equal(f.db->list[0].status, RUN_PENDING);
	/* Asked again, and taken over: it still waits. */
	assert_true(exec_pause(f.exec, id(0)));
	exec_detach(f.exec);
	assert_int_equal(exec_attach(f.exec, 0, NULL), 0);
	let_it_work(&f, 2);
	assert_int_equal(f.db->list[0].status, RUN_PENDING);
	assert_true(exec_resume(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	assert_int_equal(f.db->list[0].status, RUN_SUCCESS);
	teardown(&f);
}

static void
a_cancelled_run_is_not_paused_its_cleanups_run(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, slow);
	x = &f.db->list[0];
	pause_running(&f);
	wait_recorded(&f, 1);
	assert_true(exec_cancel(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_CANCELLED);
	assert_int_equal(x->succeeded, 2); /* first, cleanup */
	teardown(&f);
}

static void
a_run_that_is_cancelled_while_it_waits_to_begin_only_cleans_up(void **state)
{
	struct fixture f;
	struct run_resume resume = {.paused = true};
	const struct db_execution *x;

	(void)state;
	setup_with(&f, chain);
	x = &f.db->list[0];
	run_go(f.exec, 0, &f.plan, &resume);
	let_it_work(&f, 1);
	assert_int_equal(x->status, RUN_PENDING);
	assert_true(exec_cancel(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_CANCELLED);
	assert_int_equal(x->succeeded, 1);
	teardown(&f);
}

static void
the_timeout_counts_while_it_is_paused(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, "{\"timeout\":\"120ms\",\"nodes\":[{\"name\":\"first\","
		       "\"op\":\"delay\",\"with\":{\"duration\":\"20ms\"}},"
		       "{\"name\":\"second\",\"dependencies\":[\"first\"]},"
		       "{\"name\":\"cleanup\",\"dependencies\":[\"second\"],"
		       "\"trigger\":\"all_done\"}]}");
	x = &f.db->list[0];
	pause_running(&f);
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_FAILED);
	assert_non_null(strstr(x->error, "timeout of 120ms"));
	assert_int_equal(x->succeeded, 2); /* first, cleanup */
	teardown(&f);
}

static void
a_retry_whose_time_comes_waits(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, "{\"nodes\":[{\"name\":\"bad\",\"op\":\"lua\","
		       "\"with\":{\"script\":\"error('no')\"},"
		       "\"retry\":{\"limit\":1,\"backoff\":\"50ms\"}},"
		       "{\"name\":\"mark\",\"op\":\"delay\","
		       "\"with\":{\"duration\":\"120ms\"}}]}");
	x = &f.db->list[0];
	pause_running(&f);
	wait_recorded(&f, 1); /* mark: the retry was due long before */
	assert_int_equal(x->nodes[0].node, 1);
	let_it_work(&f, 1);
	assert_int_equal(recorded(x), 1);
	assert_true(exec_resume(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_FAILED);
	assert_int_equal(x->nodes[1].attempts, 2);
	teardown(&f);
}

static void
what_a_paused_sync_run_completes_is_written(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f,
	    "{\"durability\":\"sync\",\"nodes\":[{\"name\":\"first\","
	    "\"op\":\"delay\",\"with\":{\"duration\":\"40ms\"}},"
	    "{\"name\":\"second\",\"op\":\"delay\","
	    "\"with\":{\"duration\":\"80ms\"}},"
	    "{\"name\":\"third\",\"dependencies\":[\"first\"]}]}");
	x = &f.db->list[0];
	pause_running(&f);
	wait_recorded(&f, 2);
	let_it_work(&f, 1);
	assert_int_equal(recorded(x), 2);
	assert_true(exec_resume(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	db_check_frontiers(x, f.plan.plan);
	assert_int_equal(x->status, RUN_SUCCESS);
	teardown(&f);
}

static void
who_takes_over_a_paused_run_leaves_it_paused(void **state)
{
	struct fixture f;
	const struct db_execution *x;

	(void)state;
	setup_with(&f, slow);
	x = &f.db->list[0];
	pause_running(&f);
	exec_detach(f.exec);
	assert_int_equal(exec_attach(f.exec, 0, NULL), 0);
	/* What ran would have to start again. */
	let_it_work(&f, 1);
	while (clock_real_us() < x->started_us + 80000)
		host_step(f.exec, f.db, 10);
	let_it_work(&f, 2);
	assert_int_equal(recorded(x), 0);
	assert_true(exec_resume(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	db_check(x, 3);
	teardown(&f);
}

static void
a_restart_brings_a_paused_run_back_paused(void **state)
{
	struct fixture f;
	struct run_done done = {
	    .element = ELEMENT_NONE, .kind = EVENT_SUCCESS, .attempts = 1};
	struct run_resume resume = {.started_us = clock_real_us() - 1000,
	    .paused = true,
	    .count = 1,
	    .done = &done};
	const struct db_execution *x;

	(void)state;
	setup_with(&f, chain);
	x = &f.db->list[0];
	done.started_us = done.completed_us = resume.started_us;
	run_go(f.exec, 0, &f.plan, &resume);
	let_it_work(&f, 1);
	assert_int_equal(x->row[1], 0);
	assert_true(exec_resume(f.exec, id(0)));
	run_wait(f.exec, f.db, 0);
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(x->succeeded, 3);
	teardown(&f);
}

static void
only_runs_that_have_not_ended_are_listed_and_paused(void **state)
{
	struct fixture f;
	struct uuid list[8];
	struct run_ref ref;
	uint32_t from = 0;

	(void)state;
	setup_with(&f, chain);
	assert_false(exec_pause(f.exec, id(0)));
	assert_false(exec_resume(f.exec, id(0)));
	assert_int_equal(exec_list(f.exec, &from, list, 8), 0);
	ref = run_reserve(f.exec, 0);
	run_go(f.exec, 1, &f.plan, &(struct run_resume){.paused = true});
	assert_int_equal(exec_list(f.exec, &from, list, 1), 1);
	assert_true(uuid_equal(&list[0], id(0)));
	assert_int_not_equal(from, 0);
	assert_int_equal(exec_list(f.exec, &from, list, 8), 1);
	assert_true(uuid_equal(&list[0], id(1)));
	assert_int_equal(from, 0);
	exec_abandon(f.exec, ref);
	exec_resume(f.exec, id(1));
	run_wait(f.exec, f.db, 1);
	assert_int_equal(exec_list(f.exec, &from, list, 8), 0);
	/* The same slot, another run: nobody asked that one to wait. */
	run_go(f.exec, 2, &f.plan, NULL);
	run_wait(f.exec, f.db, 2);
	assert_int_equal(f.db->list[2].status, RUN_SUCCESS);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_paused_run_starts_nothing_until_it_is_resumed),
	    cmocka_unit_test(
		what_runs_when_it_is_paused_ends_and_nothing_follows),
	    cmocka_unit_test(
		a_run_that_is_paused_before_it_begins_stays_pending),
	    cmocka_unit_test(a_cancelled_run_is_not_paused_its_cleanups_run),
	    cmocka_unit_test(
		a_run_that_is_cancelled_while_it_waits_to_begin_only_cleans_up),
	    cmocka_unit_test(the_timeout_counts_while_it_is_paused),
	    cmocka_unit_test(a_retry_whose_time_comes_waits),
	    cmocka_unit_test(what_a_paused_sync_run_completes_is_written),
	    cmocka_unit_test(who_takes_over_a_paused_run_leaves_it_paused),
	    cmocka_unit_test(a_restart_brings_a_paused_run_back_paused),
	    cmocka_unit_test(
		only_runs_that_have_not_ended_are_listed_and_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
