/* test_compute.c - the threads that compute: order, stops, ends. */
#include "call_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>

#include <cmocka.h>

#include "exec/compute.h"

static struct fixture f;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static _Atomic int started;

/* Once for each call; run_ref: 1 done, 2 prepared. */
static void
on_done(void *ctx, struct op_call *call, bool prepared)
{
	(void)ctx;
	pthread_mutex_lock(&lock);
	assert_int_equal(call->run_ref, 0);
	call->run_ref = prepared ? 2 : 1;
	pthread_cond_broadcast(&arrived);
	pthread_mutex_unlock(&lock);
}

static uint64_t
wait_for(struct op_call *call)
{
	pthread_mutex_lock(&lock);
	while (call->run_ref == 0)
		pthread_cond_wait(&arrived, &lock);
	pthread_mutex_unlock(&lock);
	return call->run_ref;
}

static struct compute *
pool(unsigned threads, int64_t lua_time_ns)
{
	struct compute_settings s = {.threads = threads,
	    .lua_time_ns = lua_time_ns,
	    .lua_memory = 16u << 20,
	    .result_bytes = 1u << 20};
	struct err e;
	struct compute *c = compute_new(&s, on_done, NULL, &e);

	assert_non_null(c);
	return c;
}

/* A call of the node whose keys follow, in a plan of its own. */
static struct op_call *
call_of(const char *keys)
{
	char text[1024];

	snprintf(text, sizeof(text), "name: t\nnodes:\n  - name: n\n%s", keys);
	fixture_open(&f, text);
	f.context = "{\"x\":21,\"no\":false}";
	return fixture_call(&f, "n");
}

static void
end(struct op_call *call)
{
	op_call_free(call);
	fixture_close(&f);
}

/* Tells that it started, then loops; the node's result asks for it. */
static const char *
counting_context(const struct scope *s, size_t *len)
{
	(void)s;
	pthread_mutex_lock(&lock);
	started++;
	pthread_cond_broadcast(&arrived);
	pthread_mutex_unlock(&lock);
	*len = 2;
	return "{}";
}

static const char *const endless =
    "    op: lua\n    with: {script: 'local c = context while true do end'}\n";
static const char *const stuck =
    "    op: lua\n    with: {script: 'local c = context return "
    "table.move({}, 1, math.maxinteger - 1, 2)'}\n";

static void
a_script_runs_with_its_parameters(void **state)
{
	struct compute *c = pool(1, 1000000000);
	struct op_call *call = call_of("    op: lua\n    with: {script: "
				       "'return input * 2', input: "
				       "'${{ context.x }}'}\n");

	(void)state;
	compute_submit(c, call, COMPUTE_PREPARE | COMPUTE_OP);
	assert_int_equal(wait_for(call), 1);
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	assert_string_equal(call->outcome.result, "42");
	assert_true(call->outcome.cpu_ns > 0);
	assert_null(call->driver);
	compute_free(c);
	end(call);
}

static void
a_false_condition_skips(void **state)
{
	struct compute *c = pool(1, 1000000000);
	struct op_call *call =
	    call_of("    when: context.no\n    op: lua\n    with: {script: "
		    "'error(1)'}\n");

	(void)state;
	compute_submit(c, call, COMPUTE_PREPARE | COMPUTE_OP);
	assert_int_equal(wait_for(call), 1);
	assert_int_equal(call->outcome.state, OUTCOME_SKIPPED);
	compute_free(c);
	end(call);
}

static void
preparing_alone_leaves_the_op_to_be_started(void **state)
{
	struct compute *c = pool(1, 1000000000);
	struct op_call *call =
	    call_of("    when: context.x > 20\n    op: delay\n"
		    "    with: {duration: '${{ context.x // 2 }}s'}\n");

	(void)state;
	compute_submit(c, call, COMPUTE_PREPARE);
	assert_int_equal(wait_for(call), 2);
	assert_true(call->op->delay(call) == INT64_C(10000000000));
	compute_free(c);
	end(call);
}

static void
a_failed_expression_fails_the_call(void **state)
{
	struct compute *c = pool(1, 1000000000);
	struct op_call *call =
	    call_of("    when: context.x.y.z == 1\n    op: noop\n");

	(void)state;
	compute_submit(c, call, COMPUTE_PREPARE);
	assert_int_equal(wait_for(call), 1);
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	assert_string_equal(call->outcome.error_code, "lua_error");
	compute_free(c);
	end(call);
}

static void
many_calls_on_few_threads_all_come_back_once(void **state)
{
	struct compute *c = pool(3, 1000000000);
	struct op_call *calls[300];

	(void)state;
	calls[0] =
	    call_of("    op: lua\n    with: {script: 'local s = 0 for i = "
		    "1, 1000 do s = s + i end return s'}\n");
	for (int i = 1; i < 300; i++)
		calls[i] = fixture_call(&f, "n");
	for (int i = 0; i < 300; i++)
		compute_submit(c, calls[i], COMPUTE_PREPARE | COMPUTE_OP);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(wait_for(calls[i]), 1);
		assert_string_equal(calls[i]->outcome.result, "500500");
		op_call_free(calls[i]);
	}
	compute_free(c);
	fixture_close(&f);
}

static void
wait_until_started(int count)
{
	pthread_mutex_lock(&lock);
	while (started < count)
		pthread_cond_wait(&arrived, &lock);
	pthread_mutex_unlock(&lock);
}

static void
a_stop_interrupts_what_computes(void **state)
{
	const char *const keys[] = {endless, stuck};

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* a budget of an hour: only the stop can end it */
		struct compute *c = pool(1, INT64_C(3600000000000));
		struct op_call *call = call_of(keys[i]);

		started = 0;
		call->scope.context = counting_context;
		compute_submit(c, call, COMPUTE_PREPARE | COMPUTE_OP);
		wait_until_started(1);
		compute_stop(c, call);
		assert_int_equal(wait_for(call), 1);
		assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
		compute_free(c);
		end(call);
	}
}

static void
a_stop_reaches_a_call_that_waits_and_no_other(void **state)
{
	struct compute *c = pool(1, INT64_C(3600000000000));
	struct op_call *first = call_of(endless), *second, *third;

	(void)state;
	second = fixture_call(&f, "n");
	third = fixture_call(&f, "n");
	started = 0;
	first->scope.context = counting_context;
	third->scope.context = counting_context;
	compute_submit(c, first, COMPUTE_PREPARE | COMPUTE_OP);
	compute_submit(c, second, COMPUTE_PREPARE | COMPUTE_OP);
	compute_submit(c, third, COMPUTE_PREPARE | COMPUTE_OP);
	compute_stop(c, second);
	wait_until_started(1);
	assert_int_equal(first->run_ref, 0);
	compute_stop(c, first);
	assert_int_equal(wait_for(first), 1);
	assert_int_equal(wait_for(second), 1);
	assert_int_equal(second->outcome.state, OUTCOME_CANCELLED);
	wait_until_started(2);
	compute_stop(c, third);
	assert_int_equal(wait_for(third), 1);
	compute_free(c);
	op_call_free(second);
	op_call_free(third);
	end(first);
}

static void
stops_at_any_moment_do_no_harm(void **state)
{
	struct compute *c = pool(2, 1000000000);
	struct op_call *calls[200];

	(void)state;
	calls[0] = call_of(
	    "    op: lua\n    with: {script: 'local t = {} for i = 1, 3000 do "
	    "t[i] = {i, tostring(i)} end return #t'}\n");
	for (int i = 1; i < 200; i++)
		calls[i] = fixture_call(&f, "n");
	for (int i = 0; i < 200; i++)
		compute_submit(c, calls[i], COMPUTE_PREPARE | COMPUTE_OP);
	for (int i = 0; i < 200; i++)
		if (i % 3 != 0)
			compute_stop(c, calls[i]);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(wait_for(calls[i]), 1);
		if (i % 3 == 0)
			assert_string_equal(calls[i]->outcome.result, "3000");
		op_call_free(calls[i]);
	}
	compute_free(c);
	fixture_close(&f);
}

static void
freeing_the_pool_ends_all_calls(void **state)
{
	struct compute *c = pool(2, INT64_C(3600000000000));
	struct op_call *calls[6];

	(void)state;
	calls[0] = call_of(endless);
	for (int i = 1; i < 6; i++)
		calls[i] = fixture_call(&f, "n");
	started = 0;
	for (int i = 0; i < 6; i++) {
		calls[i]->scope.context = counting_context;
		compute_submit(c, calls[i], COMPUTE_PREPARE | COMPUTE_OP);
	}
	wait_until_started(2);
	compute_free(c);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(calls[i]->run_ref, 1);
		assert_int_equal(calls[i]->outcome.state, OUTCOME_CANCELLED);
		op_call_free(calls[i]);
	}
	fixture_close(&f);
}

/* Compute threads of this process that may run on `count` CPUs. */
static int
threads_on(int count)
{
	DIR *d = opendir("/proc/self/task");
	char path[300], name[32];
	cpu_set_t set;
	int found = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		FILE *file;

		snprintf(
		    path, sizeof(path), "/proc/self/task/%s/comm", e->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(name, sizeof(name), file) != NULL &&
		    strcmp(name, "compute\n") == 0 &&
		    sched_getaffinity(atoi(e->d_name), sizeof(set), &set) == 0)
			found += CPU_COUNT(&set) == count;
		fclose(file);
	}
	closedir(d);
	return found;
}

static void
a_thread_pinned_to_one_cpu_has_a_pool_on_all(void **state)
{
	cpu_set_t all, one;
	struct compute *c;

	(void)state;
	pthread_getaffinity_np(pthread_self(), sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
	c = pool(2, 1000000000);
	assert_int_equal(threads_on(CPU_COUNT(&all)), 2);
	compute_free(c);
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
}

static void
a_pool_that_cannot_be_made_is_an_error(void **state)
{
	struct compute_settings s = {.threads = 2,
	    .lua_time_ns = 1000000000,
	    .lua_memory = (size_t)1 << 60,
	    .result_bytes = 1u << 20};
	struct err e;

	(void)state;
	err_clear(&e);
	assert_null(compute_new(&s, on_done, NULL, &e));
	assert_string_equal(e.code, "out_of_memory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_runs_with_its_parameters),
	    cmocka_unit_test(a_false_condition_skips),
	    cmocka_unit_test(preparing_alone_leaves_the_op_to_be_started),
	    cmocka_unit_test(a_failed_expression_fails_the_call),
	    cmocka_unit_test(many_calls_on_few_threads_all_come_back_once),
	    cmocka_unit_test(a_stop_interrupts_what_computes),
	    cmocka_unit_test(a_stop_reaches_a_call_that_waits_and_no_other),
	    cmocka_unit_test(stops_at_any_moment_do_no_harm),
	    cmocka_unit_test(freeing_the_pool_ends_all_calls),
	    cmocka_unit_test(a_thread_pinned_to_one_cpu_has_a_pool_on_all),
	    cmocka_unit_test(a_pool_that_cannot_be_made_is_an_error),
	};

	return cmocka_run_group_tests_name("compute", tests, NULL, NULL);
}
