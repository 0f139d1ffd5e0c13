/* Attempts of nodes: each is kept in the history, numbered on after a takeover
 * and after a restart; those that were cut off start over, go on or fail. */
#include "exec_host.h"

#include "exec/arena.h"

struct world {
	struct exec *exec;
	struct db *db;
	struct test_plan plan;
	struct db_execution *x;
};

static void
open_world(struct world *w, const char *definition)
{
	w->exec = exec_small();
	w->db = db_create(2);
	w->plan = plan_from_json(definition);
	w->x = &w->db->list[0];
	plan_put(w->exec, &w->plan);
}

static void
close_world(struct world *w)
{
	exec_destroy(w->exec);
	db_free(w->db);
	free(w->plan.plan);
}

static const struct db_node *
event_of(const struct world *w, enum event_kind kind, uint32_t nth)
{
	for (uint32_t i = 0; i < w->x->event_count; i++)
		if (w->x->events[i].kind == (uint32_t)kind && nth-- == 0)
			return &w->x->events[i];
	return NULL;
}

static void
wait_for_event(struct world *w, enum event_kind kind)
{
	while (event_of(w, kind, 0) == NULL)
		host_step(w->exec, w->db, 1000);
}

#define BAD                                                                    \
	"{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","                          \
	"\"with\":{\"script\":\"error('no')\"},"                               \
	"\"retry\":{\"limit\":2,\"backoff\":\"1ms\"%s}}]}"

static void
every_attempt_that_failed_is_kept(void **state)
{
	struct world w;
	char text[300];

	(void)state;
	snprintf(text, sizeof(text), BAD, "");
	open_world(&w, text);
	run_go(w.exec, 0, &w.plan, NULL);
	run_wait(w.exec, w.db, 0);
	db_check_attempts(w.x, 1);
	assert_int_equal(w.x->nodes[0].attempts, 3);
	for (uint32_t i = 0; i < 2; i++) {
		const struct db_node *tried = event_of(&w, EVENT_TRIED, i);

		assert_int_equal(tried->attempts, i + 1);
		assert_non_null(strstr(tried->error, "no"));
		assert_string_equal(tried->result, "-");
		assert_true(tried->started_us <= tried->completed_us);
	}
	/* And when the last one began, which its completion does not say. */
	assert_int_equal(event_of(&w, EVENT_STARTED, 0)->attempts, 3);
	assert_true(event_of(&w, EVENT_STARTED, 0)->started_us >=
		    event_of(&w, EVENT_TRIED, 1)->completed_us);
	assert_int_equal(
	    w.x->nodes[0].started_us, event_of(&w, EVENT_TRIED, 0)->started_us);
	close_world(&w);
}

static void
only_the_failures_that_are_named_are_retried(void **state)
{
	static const struct {
		const char *on;
		uint32_t attempts;
	} cases[] = {{",\"on\":[\"timeout\"]", 1},
	    {",\"on\":[\"timeout\",\"lua_error\"]", 3},
	    {",\"on\":[\"lua_erro\",\"lua_error_\"]", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w;
		char text[300];

		snprintf(text, sizeof(text), BAD, cases[i].on);
		open_world(&w, text);
		run_go(w.exec, 0, &w.plan, NULL);
		run_wait(w.exec, w.db, 0);
		assert_int_equal(w.x->nodes[0].attempts, cases[i].attempts);
		close_world(&w);
	}
}

/* What the op calls final is tried again where the document names it. */
static void
a_named_failure_is_retried_whatever_the_op_thinks_of_it(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"assert\","
		       "\"with\":{\"that\":false},\"retry\":{\"limit\":1,"
		       "\"backoff\":\"1ms\",\"on\":[\"assertion_failed\"]}}]}");
	run_go(w.exec, 0, &w.plan, NULL);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->nodes[0].attempts, 2);
	close_world(&w);
}

#define SLOW                                                                   \
	"{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","                          \
	"\"with\":{\"script\":\"if context.slow then while true do end end\"}" \
	"%s}]}"

static void
go_slowly(struct world *w)
{
	struct run_start start = {.execution = execution_id(0),
	    .context = "{\"slow\":true}",
	    .context_len = 13};
	struct run_ref ref;

	assert_int_equal(exec_reserve(w->exec, &start, &ref, NULL), 0);
	assert_int_equal(
	    exec_commit(w->exec, ref, &w->plan.hash, NULL, NULL), 0);
}

static void
a_node_that_runs_is_told_of_while_it_runs(void **state)
{
	struct world w;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
		       "\"op\":\"delay\",\"with\":{\"duration\":\"1h\"}}]}");
	run_go(w.exec, 0, &w.plan, NULL);
	wait_for_event(&w, EVENT_STARTED);
	assert_int_equal(w.x->events[0].node, 1);
	assert_int_equal(w.x->events[0].attempts, 1);
	assert_int_equal(db_events(w.x, 0, EVENT_STARTED), 0);
	close_world(&w);
}

static void
taken_over_where_it_ran(const char *rest, struct world *w)
{
	char text[300];

	snprintf(text, sizeof(text), SLOW, rest);
	open_world(w, text);
	go_slowly(w);
	wait_for_event(w, EVENT_STARTED);
	exec_detach(w->exec);
	assert_int_equal(exec_attach(w->exec, 0, NULL), 0);
}

static void
an_interrupted_attempt_starts_over_and_costs_no_retry(void **state)
{
	const struct db_node *cut;
	struct world w;

	(void)state;
	taken_over_where_it_ran("", &w);
	wait_for_event(&w, EVENT_INTERRUPTED);
	cut = event_of(&w, EVENT_INTERRUPTED, 0);
	assert_int_equal(cut->attempts, 1);
	assert_int_equal(
	    cut->started_us, event_of(&w, EVENT_STARTED, 0)->started_us);
	run_wait(w.exec, w.db, 0); /* out of its time */
	assert_int_equal(w.x->nodes[0].attempts, 1);
	assert_int_equal(db_events(w.x, 0, EVENT_INTERRUPTED), 1);
	/* The one that ended began later. */
	assert_true(
	    event_of(&w, EVENT_STARTED, 1)->started_us >= cut->completed_us);
	close_world(&w);
}

static void
a_node_that_may_not_begin_twice_fails_when_it_is_interrupted(void **state)
{
	struct world w;

	(void)state;
	taken_over_where_it_ran(
	    ",\"retry\":{\"limit\":5,\"on\":[\"timeout\"]}", &w);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->status, RUN_FAILED);
	assert_int_equal(w.x->nodes[0].attempts, 1);
	assert_non_null(strstr(w.x->nodes[0].error, "interrupted"));
	assert_int_equal(db_events(w.x, 0, EVENT_INTERRUPTED), 0);
	close_world(&w);
}

static void
a_node_that_is_interrupted_again_and_again_fails(void **state)
{
	struct world w;
	char text[300];

	(void)state;
	snprintf(text, sizeof(text), SLOW, "");
	open_world(&w, text);
	go_slowly(&w);
	for (uint32_t n = 1; n <= INTERRUPTED_MAX; n++) {
		while (db_events(w.x, 0, EVENT_STARTED) < n)
			host_step(w.exec, w.db, 1000);
		exec_detach(w.exec);
		assert_int_equal(exec_attach(w.exec, 0, NULL), 0);
	}
	run_wait(w.exec, w.db, 0);
	assert_int_equal(
	    db_events(w.x, 0, EVENT_INTERRUPTED), INTERRUPTED_MAX - 1);
	assert_non_null(strstr(w.x->nodes[0].error, "interrupted"));
	close_world(&w);
}

/* Acts outside: begins only when the database knows, so without a commit it
 * does not. (There is no runner here: where it begins it fails.) */
static void
what_may_not_begin_twice_begins_when_that_is_durable(void **state)
{
	struct journal_entry entry;
	struct journal_node row;
	struct world w;
	size_t n = 0;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"command\","
		       "\"with\":{\"argv\":[\"true\"]},"
		       "\"retry\":{\"limit\":1,\"on\":[\"timeout\"]}}]}");
	run_go(w.exec, 0, &w.plan, NULL);
	while (n == 0 || entry.events == 0) {
		n = journal_collect(w.exec, &entry, 1);
		if (n > 0 && entry.events == 0)
			journal_committed(w.exec, &entry, 1);
		usleep(1000);
	}
	journal_node(w.exec, &entry, 0, &row);
	assert_int_equal(row.kind, EVENT_STARTED);
	assert_int_equal(entry.count, 1);
	assert_int_equal(
	    atomic_load(&w.exec->arena->shared->nodes_completed), 0);
	db_write(w.exec, w.db, &entry, 1);
	journal_committed(w.exec, &entry, 1);
	run_wait(w.exec, w.db, 0);
	assert_non_null(strstr(w.x->nodes[0].error, "does not run commands"));
	close_world(&w);
}

static void
what_may_not_begin_twice_is_cancelled_before_it_begins(void **state)
{
	struct journal_entry entry;
	struct world w;
	struct uuid id = execution_id(0);
	size_t n = 0;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"command\","
		       "\"with\":{\"argv\":[\"true\"]},"
		       "\"retry\":{\"limit\":1,\"on\":[\"timeout\"]}}]}");
	run_go(w.exec, 0, &w.plan, NULL);
	while (n == 0 || entry.events == 0) {
		n = journal_collect(w.exec, &entry, 1);
		if (n > 0 && entry.events == 0)
			journal_committed(w.exec, &entry, 1);
		usleep(1000);
	}
	assert_true(exec_cancel(w.exec, &id));
	db_write(w.exec, w.db, &entry, 1);
	journal_committed(w.exec, &entry, 1);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->status, RUN_CANCELLED);
	assert_int_equal(w.x->nodes[0].kind, EVENT_CANCELLED);
	close_world(&w);
}

/* --- after a restart: only rows are left --- */

static struct run_done
row_of(enum event_kind kind, uint16_t attempt, int64_t from, int64_t to)
{
	int64_t now = clock_real_us();

	return (struct run_done){.element = ELEMENT_NONE,
	    .kind = kind,
	    .attempts = attempt,
	    .started_us = now + from,
	    .completed_us = now + to};
}

static void
resume(struct world *w, const struct run_done *rows, uint32_t count)
{
	struct run_resume from = {.started_us = rows[0].started_us - 1000,
	    .count = count,
	    .done = rows};

	run_go(w->exec, 0, &w->plan, &from);
}

#define MS INT64_C(1000)

static void
a_delay_goes_on_from_its_start_after_a_restart(void **state)
{
	struct run_done started = row_of(EVENT_STARTED, 1, -3590 * MS, 0);
	struct world w;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
		       "\"with\":{\"duration\":\"3600ms\"}}]}");
	resume(&w, &started, 1);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->nodes[0].kind, EVENT_SUCCESS);
	assert_int_equal(w.x->nodes[0].started_us, 1000);
	assert_true(w.x->nodes[0].completed_us >= 3600 * MS);
	assert_int_equal(db_events(w.x, 0, EVENT_INTERRUPTED), 0);
	close_world(&w);
}

static void
an_attempt_that_ran_before_a_restart_is_recorded_as_interrupted(void **state)
{
	struct run_done rows[] = {
	    row_of(EVENT_STARTED, 1, -900 * MS, -800 * MS),
	    row_of(EVENT_TRIED, 1, -900 * MS, -700 * MS),
	    row_of(EVENT_STARTED, 2, -600 * MS, -500 * MS)};
	const struct db_node *cut;
	struct world w;

	(void)state;
	open_world(&w,
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
	    "\"with\":{\"script\":\"return 1\"},\"retry\":{\"limit\":1}}]}");
	resume(&w, rows, 3);
	run_wait(w.exec, w.db, 0);
	/* Three rows are there already: this is the fourth. */
	cut = &w.x->events[3];
	assert_int_equal(cut->kind, EVENT_INTERRUPTED);
	assert_int_equal(cut->attempts, 2);
	assert_true(llabs(cut->started_us - (301 * MS)) <= 1);
	assert_int_equal(w.x->nodes[0].kind, EVENT_SUCCESS);
	assert_int_equal(w.x->nodes[0].attempts, 2);
	assert_true(w.x->nodes[0].started_us <= 1 * MS);
	close_world(&w);
}

static void
a_retry_waits_out_its_backoff_and_counts_on_after_a_restart(void **state)
{
	struct run_done tried = row_of(EVENT_TRIED, 1, -500 * MS, -450 * MS);
	struct world w;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
		       "\"with\":{\"script\":\"error('no')\"},"
		       "\"retry\":{\"limit\":1,\"backoff\":\"500ms\"}}]}");
	resume(&w, &tried, 1);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->nodes[0].kind, EVENT_FAILED);
	assert_int_equal(w.x->nodes[0].attempts, 2);
	assert_int_equal(db_events(w.x, 0, EVENT_TRIED), 0);
	assert_true(w.x->nodes[0].completed_us >= 550 * MS);
	close_world(&w);
}

static void
what_may_not_begin_twice_fails_after_a_restart_that_cut_it_off(void **state)
{
	struct run_done started = row_of(EVENT_STARTED, 1, -100 * MS, 0);
	struct world w;

	(void)state;
	open_world(&w, "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
		       "\"with\":{\"script\":\"return 1\"},"
		       "\"retry\":{\"limit\":1,\"on\":[\"timeout\"]}}]}");
	resume(&w, &started, 1);
	run_wait(w.exec, w.db, 0);
	assert_int_equal(w.x->nodes[0].kind, EVENT_FAILED);
	assert_non_null(strstr(w.x->nodes[0].error, "interrupted"));
	close_world(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_attempt_that_failed_is_kept),
	    cmocka_unit_test(only_the_failures_that_are_named_are_retried),
	    cmocka_unit_test(
		a_named_failure_is_retried_whatever_the_op_thinks_of_it),
	    cmocka_unit_test(a_node_that_runs_is_told_of_while_it_runs),
	    cmocka_unit_test(
		an_interrupted_attempt_starts_over_and_costs_no_retry),
	    cmocka_unit_test(
		a_node_that_may_not_begin_twice_fails_when_it_is_interrupted),
	    cmocka_unit_test(a_node_that_is_interrupted_again_and_again_fails),
	    cmocka_unit_test(
		what_may_not_begin_twice_begins_when_that_is_durable),
	    cmocka_unit_test(
		what_may_not_begin_twice_is_cancelled_before_it_begins),
	    cmocka_unit_test(a_delay_goes_on_from_its_start_after_a_restart),
	    cmocka_unit_test(
		an_attempt_that_ran_before_a_restart_is_recorded_as_interrupted),
	    cmocka_unit_test(
		a_retry_waits_out_its_backoff_and_counts_on_after_a_restart),
	    cmocka_unit_test(
		what_may_not_begin_twice_fails_after_a_restart_that_cut_it_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
