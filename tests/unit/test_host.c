/* test_host.c - nodes that wait for the host: what it is told, what its answers
 * become, and answers that come late, twice, or to nobody.
 */
#include <pthread.h>

#include "exec_host.h"

#include "base/clock.h"
#include "exec/host.h"

/* --- a host ---------------------------------------------------------------- */

struct news {
	struct host_request *request; /* held */
	unsigned news;
};

static struct {
	pthread_mutex_t lock;
	struct news list[4096];
	unsigned count, taken;
} host = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
tell(void *ctx, struct host_request *r, unsigned news)
{
	(void)ctx;
	host_hold(r);
	pthread_mutex_lock(&host.lock);
	assert_true(host.count < 4096);
	host.list[host.count++] = (struct news){r, news};
	pthread_mutex_unlock(&host.lock);
}

static bool
heard(struct news *out)
{
	bool there;

	pthread_mutex_lock(&host.lock);
	there = host.taken < host.count;
	if (there)
		*out = host.list[host.taken++];
	pthread_mutex_unlock(&host.lock);
	return there;
}

/* The next news, which are these; the request is the caller's. */
static struct host_request *
hear(unsigned news)
{
	struct news n;

	while (!heard(&n))
		usleep(200);
	assert_int_equal(n.news, news);
	return n.request;
}

static void
forget_all(void)
{
	struct news n;

	while (heard(&n))
		host_release(n.request);
	host.count = host.taken = 0;
}

static void
answer(struct host_request *r, const char *text)
{
	host_answer(r, text, text != NULL ? strlen(text) : 0);
	host_release(r);
}

/* --- runs ------------------------------------------------------------------ */

static struct db *db;
static struct exec *exec;
static struct test_plan plan;

static void
begin(const char *definition)
{
	struct exec_settings s = small_settings();

	s.host.tell = tell;
	exec = exec_with(&s);
	db = db_create(2);
	plan = plan_from_json(definition);
	plan_put(exec, &plan);
	run_go(exec, 0, &plan, NULL);
}

static void
end(void)
{
	exec_destroy(exec);
	forget_all();
	db_free(db);
	free(plan.plan);
}

#define NODE(with) "{\"nodes\":[{\"name\":\"a\"," with "}]}"
#define WAIT(with) NODE("\"op\":\"wait_for\",\"with\":{" with "}")

static const struct db_node *
ended(enum run_status status)
{
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, status);
	return &db->list[0].nodes[0];
}

static void
the_host_is_asked_and_its_answer_is_the_result(void **state)
{
	struct host_request *r;
	struct uuid id = execution_id(0);

	(void)state;
	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	assert_int_equal(r->kind, HOST_SIGNAL);
	assert_string_equal(r->name, "go");
	assert_string_equal(r->node_name, "a");
	assert_true(uuid_equal(&r->execution, &id));
	assert_int_equal(r->element, ELEMENT_NONE);
	assert_int_equal(r->attempt, 1);
	assert_true(r->until_us == INT64_MAX);
	answer(r, "{\"value\": [1, 2.0]}");
	assert_string_equal(ended(RUN_SUCCESS)->result, "{\"value\":[1,2.0]}");
	end();
}

static void
a_child_is_asked_for_with_its_context(void **state)
{
	struct host_request *r;

	(void)state;
	begin(NODE("\"op\":\"dag\",\"retry\":{\"limit\":1},\"with\":{\"name\":"
		   "\"other\",\"context\":{\"b\":2,\"a\":\"${{ context.day "
		   "}}\"}}"));
	r = hear(HOST_ASK);
	assert_int_equal(r->kind, HOST_CHILD);
	assert_string_equal(r->context, "{\"a\":7,\"b\":2}");
	host_fail(r, true, "child_failed", "It failed.");
	host_release(r);
	r = hear(HOST_ASK);
	assert_int_equal(r->attempt, 2);
	answer(r, NULL);
	assert_string_equal(ended(RUN_SUCCESS)->result, "-");
	end();
}

static void
a_time_needs_no_host(void **state)
{
	char text[TIME_TEXT], definition[200];
	int64_t until = clock_real_us() + 50000;

	(void)state;
	time_format(until, text);
	snprintf(
	    definition, sizeof(definition), WAIT("\"until\":\"%s\""), text);
	begin(definition);
	assert_true(ended(RUN_SUCCESS)->completed_us >= 0);
	assert_true(clock_real_us() >= until);
	assert_memory_equal(ended(RUN_SUCCESS)->result + 1, text, 27);
	assert_int_equal(host.count, 0);
	end();
}

static void
at_its_deadline_the_host_is_asked_a_last_time(void **state)
{
	struct host_request *r;
	int64_t until;

	(void)state;
	begin(WAIT("\"signal\":\"go\",\"timeout\":\"20ms\",\"default\":7"));
	r = hear(HOST_ASK);
	until = r->until_us;
	host_release(r);
	r = hear(HOST_DUE);
	assert_true(clock_real_us() >= until - 1000);
	host_overdue(r);
	host_release(r);
	assert_string_equal(ended(RUN_SUCCESS)->result,
	    "{\"by\":null,\"sent_at\":null,\"signal\":\"go\",\"value\":7}");
	end();
}

static void
an_answer_at_the_deadline_counts_and_none_is_a_failure(void **state)
{
	struct host_request *r;

	(void)state;
	begin(WAIT("\"signal\":\"go\",\"timeout\":\"1ms\""));
	host_release(hear(HOST_ASK));
	answer(hear(HOST_DUE), "1");
	assert_string_equal(ended(RUN_SUCCESS)->result, "1");
	end();
	begin(NODE("\"op\":\"wait_for\",\"retry\":{\"limit\":3},\"with\":{"
		   "\"signal\":\"go\",\"until\":\"2020-01-01T00:00:00Z\"}"));
	host_release(hear(HOST_ASK));
	r = hear(HOST_DUE);
	host_overdue(r);
	host_release(r);
	assert_non_null(strstr(ended(RUN_FAILED)->error, "did not come"));
	assert_int_equal(db->list[0].nodes[0].attempts, 1);
	end();
}

static void
answers_that_come_twice_late_or_to_nobody_are_thrown_away(void **state)
{
	struct host_request *r, *again;
	struct uuid id = execution_id(0);

	(void)state;
	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	host_answer(r, "1", 1);
	host_fail(r, true, "x", "Too late.");
	host_answer(r, "2", 1);
	assert_string_equal(ended(RUN_SUCCESS)->result, "1");
	host_overdue(r);
	host_release(r);
	end();

	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	exec_cancel(exec, &id);
	again = hear(HOST_STOP);
	assert_ptr_equal(r, again);
	host_release(again);
	answer(r, "1");
	ended(RUN_CANCELLED);
	end();
}

static void
an_arena_that_ends_drops_what_it_asked_and_the_next_asks_again(void **state)
{
	struct host_request *r, *again;
	struct err e = {0};

	(void)state;
	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	exec_detach(exec);
	host_release(hear(HOST_DROP));
	answer(r, "\"nobody hears it\"");
	assert_int_equal(exec_attach(exec, 0, &e), 0);
	again = hear(HOST_ASK);
	assert_int_equal(again->attempt, 1);
	answer(again, "2");
	assert_string_equal(ended(RUN_SUCCESS)->result, "2");
	end();
}

static void
a_long_answer_is_parsed_elsewhere_and_has_a_limit(void **state)
{
	size_t len = 100000;
	char *text = malloc(2 << 20);
	struct host_request *r;

	(void)state;
	memset(text, '1', 2 << 20);
	text[0] = '"';
	text[len - 1] = '"';
	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	host_answer(r, text, len);
	host_release(r);
	ended(RUN_SUCCESS);
	end();
	text[len - 1] = '1';
	text[(2 << 20) - 1] = '"';
	begin(WAIT("\"signal\":\"go\""));
	r = hear(HOST_ASK);
	host_answer(r, text, 2 << 20);
	host_release(r);
	assert_non_null(strstr(ended(RUN_FAILED)->error, "more than"));
	end();
	free(text);
}

static void
bad_answers_and_bad_parameters_fail_the_node(void **state)
{
	struct exec_settings s = small_settings();

	(void)state;
	begin(WAIT("\"signal\":\"go\""));
	answer(hear(HOST_ASK), "{\"x\":");
	ended(RUN_FAILED);
	end();
	begin(WAIT("\"signal\":\"${{ context }}\""));
	assert_non_null(strstr(ended(RUN_FAILED)->error, "1 to 64 letters"));
	end();
	exec = exec_with(&s); /* a host that takes no requests */
	db = db_create(1);
	plan = plan_from_json(WAIT("\"signal\":\"go\""));
	plan_put(exec, &plan);
	run_go(exec, 0, &plan, NULL);
	assert_non_null(strstr(ended(RUN_FAILED)->error, "takes no signals"));
	end();
}

static void
ten_thousand_nodes_wait_in_a_few_bytes_of_shared_memory(void **state)
{
	enum {
		NODES = 10000
	};
	struct exec_settings s = small_settings();
	struct buf b;
	size_t before;

	(void)state;
	s.shm_bytes = 32u << 20;
	s.host.tell = tell;
	buf_create(&b, 0);
	buf_puts(&b, "{\"durability\":\"memory\",\"nodes\":[");
	for (unsigned i = 0; i < NODES; i++)
		buf_printf(&b,
		    "%s{\"name\":\"n%u\",\"op\":\"wait_for\",\"with\":{"
		    "\"until\":\"2100-01-01T00:00:00Z\"}}",
		    i > 0 ? "," : "", i);
	buf_puts(&b, "]}");
	exec = exec_with(&s);
	db = db_create(1);
	plan = plan_from_json(b.data);
	buf_free(&b);
	plan_put(exec, &plan);
	before = bytes_free(exec);
	run_go(exec, 0, &plan, NULL);
	while (atomic_load(&db->list[0].status) < RUN_RUNNING)
		host_step(exec, db, 100);
	assert_true(before - bytes_free(exec) < NODES * 256);
	end();
}

static void
running_out_of_memory_fails_a_node_or_nothing(void **state)
{
	enum run_status status = RUN_FAILED;

	(void)state;
	for (long n = 0; status != RUN_SUCCESS && n < 2000; n++) {
		struct news news;

		begin("{\"nodes\":[{\"name\":\"z\",\"op\":\"delay\",\"with\":{"
		      "\"duration\":\"20ms\"}},{\"name\":\"a\",\"op\":"
		      "\"wait_for\",\"dependencies\":[\"z\"],\"with\":{"
		      "\"signal\":\"go\",\"timeout\":\"10s\"}}]}");
		mem_fail_after(n);
		while (atomic_load(&db->list[0].status) < RUN_SUCCESS) {
			host_step(exec, db, 5);
			if (heard(&news)) {
				if (news.news == HOST_ASK)
					host_answer(news.request, "[1]", 3);
				host_release(news.request);
			}
		}
		mem_fail_after(-1);
		status = atomic_load(&db->list[0].status);
		end();
	}
	assert_int_equal(status, RUN_SUCCESS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_host_is_asked_and_its_answer_is_the_result),
	    cmocka_unit_test(a_child_is_asked_for_with_its_context),
	    cmocka_unit_test(a_time_needs_no_host),
	    cmocka_unit_test(at_its_deadline_the_host_is_asked_a_last_time),
	    cmocka_unit_test(
		an_answer_at_the_deadline_counts_and_none_is_a_failure),
	    cmocka_unit_test(
		answers_that_come_twice_late_or_to_nobody_are_thrown_away),
	    cmocka_unit_test(
		an_arena_that_ends_drops_what_it_asked_and_the_next_asks_again),
	    cmocka_unit_test(a_long_answer_is_parsed_elsewhere_and_has_a_limit),
	    cmocka_unit_test(bad_answers_and_bad_parameters_fail_the_node),
	    cmocka_unit_test(
		ten_thousand_nodes_wait_in_a_few_bytes_of_shared_memory),
	    cmocka_unit_test(running_out_of_memory_fails_a_node_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
