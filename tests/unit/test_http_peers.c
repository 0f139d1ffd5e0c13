/* Op http and the world: servers of bad manners, private addresses, connections
 * and turns, and thousands of requests in an arena. */
#include <netdb.h>

#include "http_bench.h"

#include "exec/http_address.h"

/* --- bad peers --- */

static void
a_server_that_hangs_or_drips_is_left_in_time(void **state)
{
	struct bench *b = *state;

	fails(b, "{\"url\":\"http://^/hang\",\"timeout\":\"50ms\"}", true,
	    "timeout", "within 50ms");
	fails(b, "{\"url\":\"http://^/drip\",\"timeout\":\"100ms\"}", true,
	    "timeout", "within 100ms");
}

static void
an_answer_that_is_too_long_is_cut(void **state)
{
	struct bench *b = *state;

	fails(b, "{\"url\":\"http://^/huge\"}", false, "response_too_large",
	    "1048576 bytes");
	fails(b, "{\"url\":\"http://^/stream\"}", false, "response_too_large",
	    "1048576 bytes");
	fails(b, "{\"url\":\"http://^/stream\",\"max_bytes\":1000}", false,
	    "response_too_large", "1000 bytes");
	assert_true(atomic_load(&b->server->streamed) < 64u << 20);
	fails(b, "{\"url\":\"http://^/stream\",\"status\":201}", false,
	    "http_status", "200");
	fails(b, "{\"url\":\"http://^/head\"}", false, "response_too_large",
	    "head");
	gives(b, "{\"url\":\"http://^/text\",\"max_bytes\":6}", "hello");
	fails(b, "{\"url\":\"http://^/text\",\"max_bytes\":5}", false,
	    "response_too_large", "5 bytes");
}

static void
answers_under_way_have_their_memory_together(void **state)
{
	struct bench *b = *state;

	http_io.destroy(b->driver);
	b->settings.http.memory = 100000;
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	fails(b, "{\"url\":\"http://^/stream\"}", true, "out_of_memory",
	    "under way");
	gives(b, "{\"url\":\"http://^/text\"}", "hello");
}

static void
who_can_not_be_reached_is_a_failure_for_retry(void **state)
{
	struct bench *b = *state;
	unsigned port;
	char params[128];
	int fd = server_listen(&port);

	close(fd);
	snprintf(
	    params, sizeof(params), "{\"url\":\"http://127.0.0.1:%u/\"}", port);
	fails(b, params, true, "connect_failed", "127.0.0.1 port");
	fails(b, "{\"url\":\"http://^/close\"}", true, "http_failed",
	    "127.0.0.1");
	fails(b, "{\"url\":\"http://no.such.name.invalid/\"}", true,
	    "name_not_resolved", "no.such.name.invalid");
}

static void
a_certificate_must_be_good(void **state)
{
	struct bench *b = *state;
	struct tls_server *good = tls_start("localhost");
	struct tls_server *other = tls_start("example.test");
	char params[128];

	snprintf(params, sizeof(params), "{\"url\":\"https://localhost:%u/\"}",
	    good->port);
	fails(b, params, false, "certificate_refused", "self");
	assert_int_equal(atomic_load(&good->handshakes), 0);
	http_io.destroy(b->driver);
	b->settings.http.ca_file = good->ca;
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	gives(b, params, "\"body\":1");
	http_io.destroy(b->driver);
	b->settings.http.ca_file = other->ca;
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	fails(b, params, false, "certificate_refused", "localhost");
	snprintf(params, sizeof(params), "{\"url\":\"https://localhost:%u/\"}",
	    other->port);
	fails(b, params, false, "certificate_refused", "another name");
	snprintf(params, sizeof(params), "{\"url\":\"https://^/\"}");
	fails(b, params, true, "http_failed", "127.0.0.1"); /* no TLS there */
	tls_stop(good);
	tls_stop(other);
}

/* --- addresses --- */

static bool
is_public(const char *address)
{
	struct addrinfo hints = {
	    .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	bool public;

	if (getaddrinfo(address, NULL, &hints, &list) != 0)
		fail_msg("%s is no address", address);
	public = http_address_public(list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return public;
}

static void
private_addresses_are_known(void **state)
{
	static const char *const private[] = {"0.0.0.0", "0.255.255.255",
	    "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
	    "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254",
	    "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1",
	    "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.1",
	    "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1",
	    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
	    "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:93.184.216.34",
	    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1",
	    "2001::1", "2001:1ff:ffff::1", "2001:db8::1",
	    "2002:7f00:1::", "2002:5db8:d822::1", "3fff:fff::1", "5f00::1",
	    "fc00::1", "fd00::1", "fdff:ffff::1", "fe80::1", "febf::1",
	    "fec0::1", "ff02::1", "ffff::1"};
	static const char *const public[] = {"1.0.0.0", "9.255.255.255",
	    "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0",
	    "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
	    "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
	    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
	    "2001:200::1", "2606:2800:220:1:248:1893:25c8:1946", "2a00::1",
	    "3ffe::1", "64:ff9b::5db8:d822"};
	struct sockaddr unix_address = {.sa_family = AF_UNIX};

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		if (is_public(private[i]))
			fail_msg("%s is private", private[i]);
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		if (!is_public(public[i]))
			fail_msg("%s is public", public[i]);
	assert_false(http_address_public(&unix_address, sizeof(unix_address)));
}

static void
refuses(struct bench *b, const char *params)
{
	struct op_call *call = call_new(b, params);

	call->scope.allowed = 0;
	http_io.start(b->driver, call);
	call_finish(b, call);
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	if (strcmp(call->outcome.error_code, "address_refused") != 0)
		fail_msg("%s: %s", params, call->outcome.error);
	assert_false(call->outcome.retryable);
	op_call_free(call);
}

static void
private_addresses_are_refused_however_they_are_written(void **state)
{
	struct bench *b = *state;
	char params[256];
	static const char *const hosts[] = {"127.0.0.1", "localhost",
	    "LOCALHOST.", "x.localhost", "2130706433", "0x7f.1", "017700000001",
	    "0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "127.1"};

	/* What an allowed run opened is not for one that is not. */
	gives(b, "{\"url\":\"http://^/text\"}", "hello");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (strcmp(hosts[i], "x.localhost") == 0)
			continue; /* known to some systems only */
		snprintf(params, sizeof(params),
		    "{\"url\":\"http://%s:%u/text\"}", hosts[i],
		    b->server->port);
		refuses(b, params);
	}
	assert_int_equal(atomic_load(&b->server->accepted), 1);
}

static void
a_proxy_of_the_environment_is_not_used(void **state)
{
	struct bench *b = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	gives(b, "{\"url\":\"http://^/text\"}", "hello");
	unsetenv("http_proxy");
	unsetenv("all_proxy");
}

/* --- connections, stops --- */

static void
connections_are_reused_but_not_across_organizations(void **state)
{
	struct bench *b = *state;
	struct op_call *call;

	for (unsigned i = 0; i < 5; i++)
		gives(b, "{\"url\":\"http://^/text\"}", "hello");
	assert_int_equal(atomic_load(&b->server->accepted), 1);
	call = call_new(b, "{\"url\":\"http://^/text\"}");
	call->scope.organization.bytes[0] = 7;
	http_io.start(b->driver, call);
	call_finish(b, call);
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	op_call_free(call);
	assert_int_equal(atomic_load(&b->server->accepted), 2);
}

static void
a_stop_ends_a_transfer_at_once(void **state)
{
	struct bench *b = *state;
	static const char *const urls[] = {"{\"url\":\"http://^/hang\"}",
	    "{\"url\":\"http://^/drip\"}",
	    "{\"url\":\"http://no.such.name.invalid/\"}"};

	for (unsigned i = 0; i < 3; i++) {
		struct op_call *call = call_new(b, urls[i]);

		http_io.start(b->driver, call);
		while (i < 2 && atomic_load(&b->server->requests) <= i)
			step(b);
		http_io.stop(b->driver, call);
		assert_int_equal(call->run_ref, 1);
		assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
		op_call_free(call);
	}
	gives(b, "{\"url\":\"http://^/text\"}", "hello");
}

static void
what_has_no_turn_waits_and_others_have_theirs(void **state)
{
	struct bench *b = *state;
	struct op_call *calls[8];

	http_io.destroy(b->driver);
	b->settings.http.concurrency = 4; /* of one organization: 3 */
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	for (unsigned i = 0; i < 8; i++) {
		calls[i] = call_new(b, "{\"url\":\"http://^/hang\"}");
		http_io.start(b->driver, calls[i]);
	}
	while (atomic_load(&b->server->requests) < 3)
		step(b);
	for (unsigned i = 0; i < 3; i++) {
		struct op_call *other =
		    call_new(b, "{\"url\":\"http://^/text\"}");

		other->scope.organization.bytes[0] = 7;
		http_io.start(b->driver, other);
		call_finish(b, other);
		assert_int_equal(other->outcome.state, OUTCOME_SUCCESS);
		op_call_free(other);
	}
	assert_int_equal(atomic_load(&b->server->requests), 6);
	http_io.stop(b->driver, calls[7]); /* from the queue */
	http_io.stop(b->driver, calls[0]); /* its turn is another's */
	while (atomic_load(&b->server->requests) < 7)
		step(b);
	for (unsigned i = 1; i < 7; i++)
		http_io.stop(b->driver, calls[i]);
	for (unsigned i = 0; i < 8; i++)
		op_call_free(calls[i]);
	gives(b, "{\"url\":\"http://^/text\"}", "hello");
}

static void
a_driver_that_ends_cancels_what_it_has(void **state)
{
	struct bench *b = *state;
	struct op_call *calls[12];

	http_io.destroy(b->driver);
	b->settings.http.concurrency = 8;
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	for (unsigned i = 0; i < 12; i++) {
		calls[i] = call_new(
		    b, i == 0 ? "{\"url\":\"http://no.such.name.invalid/\"}"
			      : "{\"url\":\"http://^/hang\"}");
		http_io.start(b->driver, calls[i]);
	}
	while (atomic_load(&b->server->requests) < 2)
		step(b);
	b->done = 0;
	http_io.destroy(b->driver);
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	for (unsigned i = 1; i < 12; i++) {
		assert_int_equal(calls[i]->run_ref, 1);
		assert_int_equal(calls[i]->outcome.state, OUTCOME_CANCELLED);
	}
	for (unsigned i = 0; i < 12; i++)
		op_call_free(calls[i]);
}

static void
a_hundred_tenants_come_and_go(void **state)
{
	struct bench *b = *state;

	for (unsigned i = 0; i < 100; i++) {
		struct op_call *call =
		    call_new(b, "{\"url\":\"http://^/text\"}");

		call->scope.organization.bytes[0] = (uint8_t)i;
		http_io.start(b->driver, call);
		call_finish(b, call);
		assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
		op_call_free(call);
	}
	assert_int_equal(atomic_load(&b->server->accepted), 100);
}

/* --- in the arena --- */

#define RUNS  20
#define NODES 100

static struct test_plan
plan_of(unsigned nodes, const char *params)
{
	struct buf b;
	struct test_plan p;

	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[");
	for (unsigned i = 0; i < nodes; i++)
		buf_printf(&b,
		    "%s{\"name\":\"n%u\",\"op\":\"http\",\"with\":%s}",
		    i > 0 ? "," : "", i, params);
	buf_puts(&b, "]}");
	p = plan_from_json(b.data);
	buf_free(&b);
	return p;
}

static void
run_allowed(
    struct exec *exec, uint32_t k, const struct test_plan *p, unsigned allowed)
{
	struct run_start start = {.execution = execution_id(k),
	    .organization = execution_id(0),
	    .allowed = allowed,
	    .context = "{}",
	    .context_len = 2};
	struct run_ref ref;
	struct err e = {0};

	if (exec_reserve(exec, &start, &ref, &e) != 0 ||
	    exec_commit(exec, ref, &p->hash, NULL, &e) != 0)
		fail_msg("%s", e.message);
}

static void
two_thousand_requests_wait_at_once_on_one_arena(void **state)
{
	struct bench *b = *state;
	struct exec_settings s = small_settings();
	struct db *db = db_create(RUNS);
	struct test_plan p;
	struct exec *exec;
	char params[128];

	s.shm_bytes = 64u << 20;
	exec = exec_with(&s);
	b->server->barrier = RUNS * NODES;
	snprintf(params, sizeof(params),
	    "{\"url\":\"http://localhost:%u/barrier\"}", b->server->port);
	p = plan_of(NODES, params);
	plan_put(exec, &p);
	for (uint32_t k = 0; k < RUNS; k++)
		run_allowed(exec, k, &p, ALLOW_PRIVATE_ADDRESSES);
	for (uint32_t k = 0; k < RUNS; k++) {
		run_wait(exec, db, k);
		assert_int_equal(db->list[k].status, RUN_SUCCESS);
		assert_int_equal(db->list[k].succeeded, NODES);
	}
	assert_int_equal(atomic_load(&b->server->requests), RUNS * NODES);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
long_answers_are_parsed_beside_the_arena(void **state)
{
	struct bench *b = *state;
	struct exec_settings s = small_settings();
	struct db *db = db_create(2);
	struct exec *exec;
	struct test_plan p;
	char params[128];

	s.shm_bytes = 64u << 20;
	exec = exec_with(&s);
	snprintf(params, sizeof(params),
	    "{\"url\":\"http://127.0.0.1:%u/large\"}", b->server->port);
	p = plan_of(40, params);
	plan_put(exec, &p);
	run_allowed(exec, 0, &p, ALLOW_PRIVATE_ADDRESSES);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].succeeded, 40);
	/* The end of the arena frees what its threads did not get to. */
	run_allowed(exec, 1, &p, ALLOW_PRIVATE_ADDRESSES);
	while (atomic_load(&b->server->requests) < 60)
		host_step(exec, db, 1);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
timeout_cancel_and_setting_reach_a_request(void **state)
{
	struct bench *b = *state;
	struct exec *exec = exec_small();
	struct db *db = db_create(4);
	struct uuid id = execution_id(1);
	struct test_plan hang, slow;
	char params[256];

	snprintf(params, sizeof(params),
	    "{\"url\":\"http://127.0.0.1:%u/hang\"}", b->server->port);
	hang = plan_of(2, params);
	snprintf(params, sizeof(params),
	    "{\"url\":\"http://127.0.0.1:%u/hang\",\"timeout\":\"30ms\"}",
	    b->server->port);
	slow = plan_of(1, params);
	plan_put(exec, &hang);
	plan_put(exec, &slow);
	run_allowed(exec, 0, &slow, ALLOW_PRIVATE_ADDRESSES);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_FAILED);
	assert_non_null(strstr(db->list[0].nodes[0].error, "within 30ms"));
	run_allowed(exec, 1, &hang, ALLOW_PRIVATE_ADDRESSES);
	while (atomic_load(&b->server->requests) < 3)
		host_step(exec, db, 5);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 1);
	assert_int_equal(db->list[1].status, RUN_CANCELLED);
	run_allowed(exec, 2, &hang, 0);
	run_wait(exec, db, 2);
	assert_int_equal(db->list[2].status, RUN_FAILED);
	assert_non_null(
	    strstr(db->list[2].nodes[0].error, "allow_private_addresses"));
	run_allowed(exec, 3, &hang, ALLOW_PRIVATE_ADDRESSES);
	while (atomic_load(&b->server->requests) < 5)
		host_step(exec, db, 5); /* and the arena ends with them */
	exec_destroy(exec);
	db_free(db);
	free(hang.plan);
	free(slow.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(a_server_that_hangs_or_drips_is_left_in_time),
	    BENCH_TEST(an_answer_that_is_too_long_is_cut),
	    BENCH_TEST(answers_under_way_have_their_memory_together),
	    BENCH_TEST(who_can_not_be_reached_is_a_failure_for_retry),
	    BENCH_TEST(a_certificate_must_be_good),
	    cmocka_unit_test(private_addresses_are_known),
	    BENCH_TEST(private_addresses_are_refused_however_they_are_written),
	    BENCH_TEST(a_proxy_of_the_environment_is_not_used),
	    BENCH_TEST(connections_are_reused_but_not_across_organizations),
	    BENCH_TEST(a_stop_ends_a_transfer_at_once),
	    BENCH_TEST(what_has_no_turn_waits_and_others_have_theirs),
	    BENCH_TEST(a_driver_that_ends_cancels_what_it_has),
	    BENCH_TEST(a_hundred_tenants_come_and_go),
	    BENCH_TEST(two_thousand_requests_wait_at_once_on_one_arena),
	    BENCH_TEST(long_answers_are_parsed_beside_the_arena),
	    BENCH_TEST(timeout_cancel_and_setting_reach_a_request),
	};

	bench_limits();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
