/* test_fan.c - nodes with for_each in a whole executor: lists, results, what
 * the history tells of their elements, and that a restart goes on with them. */
#include "exec_host.h"

#include "exec/arena.h"
#include "exec/fan.h"

static struct exec *exec;
static struct db *db;

static int
open_exec(void **state)
{
	(void)state;
	exec = exec_small();
	db = db_create(16);
	return 0;
}

static int
close_exec(void **state)
{
	(void)state;
	exec_destroy(exec);
	db_free(db);
	return 0;
}

/* The execution of one node "n" with these members, after its end. */
static const struct db_execution *
run_node(uint32_t k, const char *members)
{
	char text[4096];
	struct test_plan p;

	snprintf(
	    text, sizeof(text), "{\"nodes\":[{\"name\":\"n\",%s}]}", members);
	p = plan_from_json(text);
	plan_put(exec, &p);
	run_go(exec, k, &p, NULL);
	run_wait(exec, db, k);
	free(p.plan);
	return &db->list[k];
}

/* How many rows tell this of elements of the node. */
static uint32_t
count_of(const struct db_execution *x, enum event_kind kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < DB_ROWS; i++)
		count += x->events[i].kind == kind &&
			 x->events[i].element != ELEMENT_NONE;
	return count;
}

static const struct db_node *
element_of(const struct db_execution *x, enum event_kind kind, uint32_t element)
{
	for (uint32_t i = 0; i < DB_ROWS; i++)
		if (x->events[i].kind == kind &&
		    x->events[i].element == element)
			return &x->events[i];
	fail_msg("element %u has no row %c", element, kind);
	return NULL;
}

static void
results_are_a_list_in_the_order_of_the_elements(void **state)
{
	const struct db_execution *x = run_node(0,
	    "\"for_each\":[3,\"b\",{\"c\":[1]},null],\"op\":\"lua\","
	    "\"concurrency\":2,\"with\":{\"script\":"
	    "\"return item and {index, item}\"}");

	(void)state;
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_string_equal(
	    x->result, "{\"n\":[[0,3],[1,\"b\"],[2,{\"c\":[1]}],null]}");
	assert_int_equal(count_of(x, EVENT_SUCCESS), 4);
	assert_string_equal(
	    element_of(x, EVENT_SUCCESS, 1)->result, "[1,\"b\"]");
	assert_string_equal(element_of(x, EVENT_SUCCESS, 3)->result, "-");
	assert_string_equal(element_of(x, EVENT_EXPANDED, 4)->result,
	    "[3,\"b\",{\"c\":[1]},null]");
}

static void
every_kind_of_op_runs_for_each_element(void **state)
{
	const struct db_execution *x = run_node(0, "\"for_each\":[1,2,3]");

	(void)state;
	assert_string_equal(x->result, "{\"n\":[null,null,null]}");
	x = run_node(1,
	    "\"for_each\":\"${{ {'1ms', '2ms'} }}\",\"op\":\"delay\","
	    "\"with\":{\"duration\":\"${{ item }}\"}");
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(count_of(x, EVENT_SUCCESS), 2);
	x = run_node(2, "\"for_each\":[true],\"op\":\"assert\","
			"\"with\":{\"that\":\"${{ item }}\"}");
	assert_int_equal(x->status, RUN_SUCCESS);
	x = run_node(3,
	    "\"for_each\":[7],\"op\":\"fail\","
	    "\"with\":{\"message\":\"${{ item }} of ${{ context.day }}\"}");
	assert_int_equal(x->status, RUN_FAILED);
	assert_string_equal(
	    x->error, "Node \"n\" failed: Element 1 of 1: 7 of 7");
}

static void
an_empty_list_is_a_success(void **state)
{
	const struct db_execution *x = run_node(0, "\"for_each\":[]");

	(void)state;
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_string_equal(x->result, "{\"n\":[]}");
	x = run_node(1, "\"for_each\":\"${{ {} }}\",\"op\":\"lua\","
			"\"with\":{\"script\":\"return 1\"}");
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_string_equal(x->result, "{\"n\":[]}");
}

static void
what_is_no_list_fails_the_node_and_says_what_it_was(void **state)
{
	static const char *const values[][2] = {{"context.none", "null"},
	    {"context.day", "a number"}, {"'x'", "a text"},
	    {"{a = 1}", "an object"}, {"1 == 1", "true or false"}};
	char members[200], expected[200];

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		const struct db_execution *x;

		snprintf(members, sizeof(members), "\"for_each\":\"${{ %s }}\"",
		    values[i][0]);
		x = run_node(i, members);
		assert_int_equal(x->status, RUN_FAILED);
		snprintf(expected, sizeof(expected),
		    "Node \"n\" failed: not_a_list: for_each is %s, not a "
		    "list.",
		    values[i][1]);
		assert_string_equal(x->error, expected);
	}
}

static void
the_condition_is_decided_once_before_the_list(void **state)
{
	const struct db_execution *x = run_node(
	    0, "\"for_each\":\"${{ error('no') }}\",\"when\":\"context.no\"");

	(void)state;
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(x->nodes[0].kind, EVENT_SKIPPED);
}

static void
the_first_element_that_fails_ends_the_node(void **state)
{
	const struct db_execution *x = run_node(0,
	    "\"for_each\":[1,2,3,4,5,6],\"concurrency\":1,\"op\":\"lua\","
	    "\"with\":{\"script\":\"if item == 3 then error('bad', 0) end\"}");

	(void)state;
	assert_int_equal(x->status, RUN_FAILED);
	assert_string_equal(x->error, "Node \"n\" failed: Element 3 of 6: bad");
	assert_int_equal(count_of(x, EVENT_SUCCESS), 2);
	assert_int_equal(count_of(x, EVENT_FAILED), 1);
	assert_int_equal(count_of(x, EVENT_CANCELLED), 0);
}

static void
an_element_that_waits_for_its_retry_is_cancelled_by_anothers_failure(
    void **state)
{
	const struct db_execution *x = run_node(0,
	    "\"for_each\":[\"1h\",\"x\"],\"op\":\"lua\","
	    "\"retry\":{\"limit\":3,\"backoff\":\"1h\",\"max\":\"1h\"},"
	    "\"with\":{\"script\":\"if index == 0 then error('again') end "
	    "return 0 / 0\"}");

	(void)state;
	assert_int_equal(x->status, RUN_FAILED);
	assert_int_equal(count_of(x, EVENT_FAILED), 1);
	assert_int_equal(element_of(x, EVENT_CANCELLED, 0)->attempts, 1);
	assert_int_equal(atomic_load(&x->finals), 0);
}

static void
an_element_is_tried_again_alone(void **state)
{
	/* A time budget makes the first try of each element fail. */
	const struct db_execution *x = run_node(0,
	    "\"for_each\":[1,2,3],\"op\":\"delay\",\"timeout\":\"2ms\","
	    "\"retry\":{\"limit\":1,\"backoff\":\"1ms\"},"
	    "\"with\":{\"duration\":\"${{ index == 1 and '1h' or '0ms' }}\"}");

	(void)state;
	assert_int_equal(x->status, RUN_FAILED);
	assert_int_equal(element_of(x, EVENT_FAILED, 1)->attempts, 2);
	assert_int_equal(element_of(x, EVENT_SUCCESS, 0)->attempts, 1);
	assert_string_equal(x->error,
	    "Node \"n\" failed: Element 2 of 3: The node took longer than its "
	    "timeout of 2ms.");
}

static void
cancelling_stops_what_runs_and_starts_nothing(void **state)
{
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"n\",\"for_each\":[1,2,3,4,5],"
	    "\"concurrency\":2,\"op\":\"delay\","
	    "\"with\":{\"duration\":\"1h\"}},"
	    "{\"name\":\"after\",\"dependencies\":[\"n\"],"
	    "\"trigger\":\"all_done\",\"for_each\":[1,2]}]}");
	const struct db_execution *x = &db->list[0];
	struct uuid id = execution_id(0);

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (count_of(x, EVENT_EXPANDED) == 0)
		host_step(exec, db, 100);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 0);
	assert_int_equal(x->status, RUN_CANCELLED);
	assert_int_equal(x->nodes[0].kind, EVENT_CANCELLED);
	assert_int_equal(x->nodes[1].kind, EVENT_SUCCESS);
	assert_int_equal(count_of(x, EVENT_CANCELLED), 2);
	free(p.plan);
}

static void
results_that_are_too_large_together_fail_the_node(void **state)
{
	const struct db_execution *x = run_node(0,
	    "\"for_each\":[1,2,3],\"op\":\"lua\",\"with\":{\"script\":"
	    "\"return string.rep('x', 400000)\"}");

	(void)state;
	assert_int_equal(x->status, RUN_FAILED);
	assert_string_equal(x->error,
	    "Node \"n\" failed: The list of the elements' results has more "
	    "than 1048576 bytes.");
}

static void
memory_is_given_back(void **state)
{
	const struct db_execution *x;
	size_t after = 0;

	(void)state;
	for (uint32_t k = 0; k < 3; k++) {
		x = run_node(k,
		    "\"for_each\":\"${{ (function() local t = {} for i = 1, "
		    "200 do t[i] = {i} end return t end)() }}\","
		    "\"op\":\"assert\",\"with\":{\"that\":"
		    "\"${{ item[1] == index + 1 }}\"}");
		assert_int_equal(x->status, RUN_SUCCESS);
		if (k == 0) /* the plan stays */
			after = bytes_free(exec);
		assert_int_equal(bytes_free(exec), after);
	}
}

/* --- many elements ---------------------------------------------------------- */

/* Writes what there is and forgets it; true: the run's end was among it. */
static bool
host_forgets(struct exec *x, uint32_t *ends, int timeout_ms)
{
	struct pollfd fd = {.fd = journal_fd(x), .events = POLLIN};
	struct journal_entry e;
	uint64_t ignored;
	bool ended = false;

	poll(&fd, 1, timeout_ms);
	if (read(fd.fd, &ignored, sizeof(ignored)) < 0)
		return false;
	while (journal_collect(x, &e, 1) == 1) {
		for (uint32_t i = 0; i < e.events; i++) {
			struct journal_node n;

			journal_node(x, &e, i, &n);
			*ends += n.kind == EVENT_SUCCESS;
		}
		ended = e.status == RUN_SUCCESS;
		assert_true(e.status != RUN_FAILED);
		journal_committed(x, &e, 1);
	}
	return ended;
}

/* A node "n" of so many elements of an op; bytes it took at most, and its
 * time. */
static void
run_many(uint32_t count, const char *members)
{
	struct exec_settings s = small_settings();
	struct exec *x;
	struct test_plan p;
	char text[1024];
	size_t before, least;
	uint32_t ends = 0;
	int64_t began;

	s.shm_bytes = 128u << 20;
	s.run_bytes = 64u << 20;
	x = exec_with(&s);
	snprintf(text, sizeof(text),
	    "{\"nodes\":[{\"name\":\"n\",\"for_each\":\"${{ (function() local "
	    "t = {} for i = 1, %u do t[i] = i %% 10 end return t end)() }}\","
	    "\"concurrency\":100000,%s}]}",
	    count, members);
	p = plan_from_json(text);
	plan_put(x, &p);
	before = least = bytes_free(x);
	began = clock_mono_ns();
	run_go(x, 0, &p, NULL);
	for (bool ended = false; !ended;) {
		ended = host_forgets(x, &ends, 10);
		if (!ended && bytes_free(x) < least)
			least = bytes_free(x);
	}
	print_message("%u elements, %s: %.0f bytes of shared memory and "
		      "%.2f us each\n",
	    count, members, (double)(before - least) / count,
	    (double)(clock_mono_ns() - began) / count / 1000);
	assert_int_equal(ends, count);
	assert_true(before - least < (size_t)count * 256);
	assert_int_equal(bytes_free(x), before);
	exec_destroy(x);
	free(p.plan);
}

static void
a_hundred_thousand_elements_take_few_bytes_each(void **state)
{
	(void)state;
	run_many(100000, "\"op\":\"noop\"");
	run_many(100000, "\"op\":\"assert\",\"with\":{\"that\":true}");
	run_many(100000,
	    "\"op\":\"delay\",\"with\":{\"duration\":\"1${{ item }}ms\"}");
}

static void
one_element_more_than_the_limit_is_refused(void **state)
{
	const struct db_execution *x = run_node(0,
	    "\"for_each\":\"${{ (function() local t = {} for i = 1, 100001 do "
	    "t[i] = 1 end return t end)() }}\"");

	(void)state;
	assert_string_equal(x->error,
	    "Node \"n\" failed: too_many_elements: for_each has 100001 "
	    "elements, more than the limit of 100000.");
}

static void
a_paused_run_starts_no_elements(void **state)
{
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"n\",\"for_each\":[1,2,3,4],"
			   "\"concurrency\":1,\"op\":\"delay\","
			   "\"with\":{\"duration\":\"20ms\"}}]}");
	const struct db_execution *x = &db->list[0];
	struct uuid id = execution_id(0);
	int64_t until;

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (count_of(x, EVENT_SUCCESS) == 0)
		host_step(exec, db, 100);
	assert_true(exec_pause(exec, &id)); /* while the second runs */
	while (count_of(x, EVENT_SUCCESS) < 2)
		host_step(exec, db, 100);
	until = clock_mono_ns() + 60000000;
	while (clock_mono_ns() < until)
		host_step(exec, db, 10);
	assert_int_equal(count_of(x, EVENT_SUCCESS), 2);
	assert_true(exec_resume(exec, &id));
	run_wait(exec, db, 0);
	assert_int_equal(x->status, RUN_SUCCESS);
	assert_int_equal(count_of(x, EVENT_SUCCESS), 4);
	free(p.plan);
}

/* --- a restart -------------------------------------------------------------- */

static void
done_from(struct run_done *to, const struct db_node *n, int64_t started_us)
{
	*to = (struct run_done){.node = n->node,
	    .element = n->element,
	    .kind = (enum event_kind)n->kind,
	    .attempts = (uint16_t)n->attempts,
	    .started_us = started_us + n->started_us,
	    .completed_us = started_us + n->completed_us};
	if (strcmp(n->result, "-") == 0)
		return;
	to->result = n->result;
	to->result_len = strlen(n->result);
}

/* The worker died between the log and the record of an element: what the log
 * says has happened. */
static void
what_the_log_says_of_an_element_is_made_good(void **state)
{
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"n\",\"for_each\":[1],\"op\":\"fail\","
	    "\"retry\":{\"limit\":5,\"backoff\":\"1h\",\"max\":\"1h\"},"
	    "\"with\":{\"message\":\"no\",\"retryable\":true}}]}");
	struct exec_settings s = small_settings();
	struct exec *x;
	struct run_ref ref;
	struct slot *slot;
	struct fan_block *b;
	struct err e = {0};

	(void)state;
	s.flush_ns = INT64_C(3600000000000); /* nothing else is told */
	x = exec_with(&s);
	plan_put(x, &p);
	ref = run_go(x, 0, &p, NULL);
	slot = &x->slots.list[ref.slot];
	while (event_count(&slot->events) < 2) /* the list, the first try */
		usleep(100);
	exec_detach(x);
	b = fan_block_find(&x->slots, ref.slot, 0);
	assert_int_equal(node_state(&b->elements[0]), NODE_RETRY);
	atomic_store(&b->elements[0].state, NODE_RUNNING);
	assert_int_equal(exec_attach(x, 0, &e), 0);
	while (node_state(&b->elements[0]) != NODE_RETRY)
		usleep(100);
	assert_int_equal(b->elements[0].attempts, 1);
	assert_int_equal(event_count(&slot->events), 2);
	exec_destroy(x);
	free(p.plan);
}

/* A list that another evaluation would not give again. */
static void
any_part_of_the_history_leads_to_the_same_end(void **state)
{
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"n\",\"for_each\":"
	    "\"${{ {math.random(1 << 40), math.random(1 << 40), 3, 4} }}\","
	    "\"concurrency\":2,\"op\":\"lua\",\"with\":{\"script\":"
	    "\"return {item}\"}}]}");
	const struct db_execution *whole = &db->list[0], *x;
	struct run_done done[6];
	uint32_t rows;

	(void)state;
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	run_wait(exec, db, 0);
	for (rows = 0; whole->events[rows].kind != 0; rows++)
		done_from(&done[rows], &whole->events[rows], whole->started_us);
	assert_int_equal(rows, 5);
	for (uint32_t k = 1; k <= rows; k++) {
		struct run_resume resume = {
		    .started_us = whole->started_us, .count = k, .done = done};

		x = &db->list[k];
		run_go(exec, k, &p, &resume);
		run_wait(exec, db, k);
		assert_int_equal(x->status, RUN_SUCCESS);
		assert_string_equal(x->result, whole->result);
		assert_int_equal(count_of(x, EVENT_EXPANDED), 0);
		assert_int_equal(count_of(x, EVENT_SUCCESS), rows - k);
	}
	free(p.plan);
}

static void
a_history_that_no_list_can_have_is_refused(void **state)
{
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"n\",\"for_each\":[1,2]},"
			   "{\"name\":\"m\"}]}");
	struct run_done list = {.kind = EVENT_EXPANDED,
	    .element = 2,
	    .attempts = 1,
	    .result = "[1,2]",
	    .result_len = 5};
	struct run_done bad[][2] = {{list, list}, {list, list}, {list, list},
	    {list, list}, {list, list}, {list, list}};
	struct err e = {0};

	(void)state;
	bad[0][0].element = 3;
	bad[1][0].result_len = 4;
	bad[2][0].node = 1;
	bad[3][1] = (struct run_done){.kind = EVENT_SUCCESS, .element = 2};
	bad[4][0] = (struct run_done){.kind = EVENT_SUCCESS, .element = 0};
	plan_put(exec, &p);
	for (uint32_t k = 0; k < 6; k++) {
		struct run_resume resume = {
		    .started_us = clock_real_us(), .count = 2, .done = bad[k]};
		struct run_ref ref = run_reserve(exec, k);

		assert_int_equal(
		    exec_commit(exec, ref, &p.hash, &resume, &e), -1);
		assert_string_equal(e.code, "corrupted_history");
		exec_abandon(exec, ref);
	}
	free(p.plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_exec, close_exec)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(results_are_a_list_in_the_order_of_the_elements),
	    TEST(every_kind_of_op_runs_for_each_element),
	    TEST(an_empty_list_is_a_success),
	    TEST(what_is_no_list_fails_the_node_and_says_what_it_was),
	    TEST(the_condition_is_decided_once_before_the_list),
	    TEST(the_first_element_that_fails_ends_the_node),
	    TEST(
		an_element_that_waits_for_its_retry_is_cancelled_by_anothers_failure),
	    TEST(an_element_is_tried_again_alone),
	    TEST(cancelling_stops_what_runs_and_starts_nothing),
	    TEST(results_that_are_too_large_together_fail_the_node),
	    TEST(memory_is_given_back),
	    TEST(a_paused_run_starts_no_elements),
	    TEST(one_element_more_than_the_limit_is_refused),
	    cmocka_unit_test(a_hundred_thousand_elements_take_few_bytes_each),
	    TEST(what_the_log_says_of_an_element_is_made_good),
	    TEST(any_part_of_the_history_leads_to_the_same_end),
	    TEST(a_history_that_no_list_can_have_is_refused),
	};

	return cmocka_run_group_tests_name("fan", tests, NULL, NULL);
}
