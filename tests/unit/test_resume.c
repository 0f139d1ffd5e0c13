/* Runs that go on after a full restart: whatever part of their history was
 * written, every node ends as it would have, and none that had ended runs
 * again. */
#include "exec_host.h"

#include "exec/arena.h"

/* Every trigger, outcome and kind of op; no outcome depends on chance. */
static const char definition[] =
    "{\"nodes\":["
    "{\"name\":\"ok\"},"
    "{\"name\":\"slow\",\"op\":\"delay\",\"with\":{\"duration\":\"4ms\"}},"
    "{\"name\":\"bad\",\"op\":\"lua\",\"with\":{\"script\":\"error('no')\"},"
    "\"retry\":{\"limit\":1,\"backoff\":\"1ms\"}},"
    "{\"name\":\"never\",\"when\":\"context.day == 8\"},"
    "{\"name\":\"any_success\",\"trigger\":\"any_success\","
    "\"dependencies\":[\"bad\",\"slow\",\"ok\"]},"
    "{\"name\":\"any_failed\",\"trigger\":\"any_failed\","
    "\"dependencies\":[\"ok\",\"bad\",\"slow\"]},"
    "{\"name\":\"no_success\",\"trigger\":\"any_success\","
    "\"dependencies\":[\"bad\",\"never\"]},"
    "{\"name\":\"cleanup\",\"trigger\":\"all_done\","
    "\"dependencies\":[\"bad\",\"never\",\"slow\"]},"
    "{\"name\":\"none_failed\",\"trigger\":\"none_failed\","
    "\"dependencies\":[\"never\",\"ok\"]},"
    "{\"name\":\"one_failed\",\"trigger\":\"none_failed\","
    "\"dependencies\":[\"never\",\"bad\"]},"
    "{\"name\":\"skipped\",\"dependencies\":[\"one_failed\",\"ok\"]},"
    "{\"name\":\"value\",\"op\":\"lua\",\"dependencies\":[\"any_success\"],"
    "\"with\":{\"script\":\"return nodes.ok.status\"}},"
    "{\"name\":\"sum\",\"op\":\"lua\",\"dependencies\":[\"value\"],"
    "\"with\":{\"script\":\"return nodes.value.result .. '!'\"}}]}";
#define NODES 13

static void
done_from(
    struct run_done *to, const struct db_node *n, const struct db_execution *x)
{
	*to = (struct run_done){.node = n->node,
	    .element = n->element,
	    .kind = (enum event_kind)n->kind,
	    .attempts = (uint16_t)n->attempts,
	    .started_us = x->started_us + n->started_us,
	    .completed_us = x->started_us + n->completed_us};
	if (strcmp(n->result, "-") == 0)
		return;
	to->result = n->result;
	to->result_len = strlen(n->result);
}

static const struct db_node *
node_of(const struct db_execution *x, uint32_t node, uint32_t from)
{
	for (uint32_t i = from; i < NODES; i++)
		if (x->nodes[i].node == node)
			return &x->nodes[i];
	return NULL;
}

static void
compare(const struct db_execution *whole, const struct db_execution *resumed,
    uint32_t k)
{
	for (uint32_t i = 0; i < NODES; i++) {
		const struct db_node *a = &whole->nodes[i];
		const struct db_node *b = node_of(resumed, a->node, k);

		if (i < k) {
			assert_null(b);
			continue;
		}
		assert_non_null(b);
		assert_int_equal(a->kind, b->kind);
		assert_int_equal(a->attempts, b->attempts);
		assert_string_equal(a->result, b->result);
	}
	assert_int_equal(whole->status, resumed->status);
	assert_int_equal(whole->succeeded, resumed->succeeded);
	assert_int_equal(whole->failed, resumed->failed);
	assert_string_equal(whole->result, resumed->result);
	assert_int_equal(whole->started_us, resumed->started_us);
}

static void
any_part_of_the_history_leads_to_the_same_end(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(NODES + 2);
	struct test_plan p = plan_from_json(definition);
	struct db_execution *whole = &db->list[0];
	struct run_done done[NODES];

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	run_wait(exec, db, 0);
	db_check(whole, NODES);
	assert_int_equal(whole->status, RUN_FAILED);
	for (uint32_t k = 0; k <= NODES; k++) {
		struct run_resume resume = {
		    .started_us = whole->started_us, .count = k, .done = done};

		for (uint32_t i = 0; i < k; i++)
			done_from(&done[i], &whole->nodes[i], whole);
		run_go(exec, k + 1, &p, &resume);
		run_wait(exec, db, k + 1);
		compare(whole, &db->list[k + 1], k);
	}
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_run_whose_cancellation_was_asked_for_only_cleans_up(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(definition);
	struct run_done done = {
	    .element = ELEMENT_NONE, .kind = EVENT_SUCCESS, .attempts = 1};
	struct run_resume resume = {.started_us = clock_real_us() - 1000,
	    .cancel = true,
	    .count = 1,
	    .done = &done};
	const struct db_execution *x = &db->list[0];

	(void)state;
	plan_put(exec, &p);
	done.started_us = done.completed_us = resume.started_us;
	run_go(exec, 0, &p, &resume);
	run_wait(exec, db, 0);
	assert_int_equal(x->status, RUN_CANCELLED);
	assert_int_equal(x->succeeded, 2); /* ok, cleanup */
	for (uint32_t i = 1; i < NODES; i++)
		assert_int_equal(x->nodes[i].kind,
		    x->nodes[i].node == 7 ? EVENT_SUCCESS : EVENT_CANCELLED);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static const char limited[] =
    "{\"timeout\":\"200ms\",\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
    "\"with\":{\"duration\":\"1h\"}}]}";

static void
time_that_passed_while_nobody_ran_it_counts(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(limited);
	struct run_resume resume = {.started_us = clock_real_us() - 5000000};
	int64_t start = clock_mono_ns();

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, &resume);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_FAILED);
	assert_true(clock_mono_ns() - start < 200000000);
	assert_non_null(strstr(db->list[0].error, "timeout of 200ms"));
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_timeout_is_kept_by_whoever_takes_over(void **state)
{
	struct exec *exec = exec_small();
	struct db *db = db_create(1);
	struct test_plan p = plan_from_json(limited);

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&db->list[0].status) != RUN_RUNNING)
		host_step(exec, db, 1000);
	exec_detach(exec);
	assert_int_equal(exec_attach(exec, 0, NULL), 0);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_FAILED);
	assert_non_null(strstr(db->list[0].error, "timeout of 200ms"));
	assert_true(
	    db->list[0].completed_us - db->list[0].started_us >= 200000);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_part_of_the_history_leads_to_the_same_end),
	    cmocka_unit_test(
		a_run_whose_cancellation_was_asked_for_only_cleans_up),
	    cmocka_unit_test(time_that_passed_while_nobody_ran_it_counts),
	    cmocka_unit_test(a_timeout_is_kept_by_whoever_takes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
