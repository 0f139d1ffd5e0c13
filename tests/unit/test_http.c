/* Op http: what it asks, what it makes of answers and redirects, what a document
 * may say. */
#include "http_bench.h"

/* --- answers --- */

static void
an_answer_is_status_headers_and_body(void **state)
{
	struct bench *b = *state;

	gives(b, "{\"url\":\"http://^/json\"}",
	    "{\"status\":200,\"headers\":{\"content-length\":\"18\","
	    "\"content-type\":\"application/json\",\"x-two\":\"1, 2\"},"
	    "\"body\":{\"a\":[1,2.5,null]}}");
	gives(b, "{\"url\":\"http://^/text\"}", "\"body\":\"hello\\n\"}");
	gives(b, "{\"url\":\"http://^/bytes\"}",
	    "\"body\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
	    "b\"}");
	gives(b, "{\"url\":\"http://^/cookies\"}",
	    "\"set-cookie\":[\"a=1, b\",\"c=2\"]},\"body\":null}");
}

static void
a_request_says_what_its_parameters_say(void **state)
{
	struct bench *b = *state;

	gives(b,
	    "{\"url\":\"http://^/echo?a=1\",\"query\":{\"b c\":\"d&e\","
	    "\"n\":[1,true,null]},\"headers\":{\"X-Own\":5,\"X-No\":null,"
	    "\"X-Empty\":\"\"}}",
	    "\"body\":\"GET /echo?a=1&b%20c=d%26e&n=1&n=true HTTP/1.1");
	gives(b,
	    "{\"url\":\"http://^/echo\",\"headers\":{\"X-Own\":5,"
	    "\"X-Empty\":\"\"}}",
	    "X-Own: 5\\r\\nX-Empty:\\r\\n");
	gives(b, "{\"url\":\"http://^/echo\",\"json\":{\"a\":[1]}}",
	    "POST /echo");
	gives(b, "{\"url\":\"http://^/echo\",\"json\":{\"a\":[1]}}",
	    "Content-Type: application/json\\r\\nContent-Length: "
	    "9\\r\\n\\r\\n{\\\"a\\\":[1]}");
	gives(b,
	    "{\"method\":\"PUT\",\"url\":\"http://^/echo\",\"body\":\"x y\"}",
	    "\"PUT /echo");
	gives(b, "{\"method\":\"POST\",\"url\":\"http://^/echo\"}",
	    "Content-Length: 0\\r\\n");
	gives(b, "{\"method\":\"DELETE\",\"url\":\"http://^/echo\"}",
	    "\"DELETE /echo");
	gives(b, "{\"method\":\"HEAD\",\"url\":\"http://^/json\"}",
	    "\"content-length\":\"18\"");
	gives(b, "{\"url\":\"http://me:p%40ss@^/echo\"}",
	    "Authorization: Basic bWU6cEBzcw==");
}

static void
a_status_that_is_not_accepted_fails(void **state)
{
	struct bench *b = *state;

	fails(b, "{\"url\":\"http://^/status/404\"}", false, "http_status",
	    "127.0.0.1 answered with status 404.");
	fails(
	    b, "{\"url\":\"http://^/status/429\"}", true, "http_status", "429");
	fails(
	    b, "{\"url\":\"http://^/status/503\"}", true, "http_status", "503");
	gives(b, "{\"url\":\"http://^/status/404\",\"status\":[\"2xx\",404]}",
	    "\"status\":404");
	gives(b, "{\"url\":\"http://^/status/418\",\"status\":\"400-499\"}",
	    "\"status\":418");
	fails(b, "{\"url\":\"http://^/text\",\"status\":201}", false,
	    "http_status", "200");
}

/* --- redirects --- */

static void
redirects_are_followed_as_far_as_allowed(void **state)
{
	struct bench *b = *state;

	gives(b, "{\"url\":\"http://^/to/302?/text\"}", "hello");
	gives(b,
	    "{\"url\":\"http://^/to/301?http://localhost:1/text\","
	    "\"redirects\":0,\"status\":\"3xx\"}",
	    "\"location\":\"http://localhost:1/text\"");
	fails(b, "{\"url\":\"http://^/to/302?/text\",\"redirects\":0}", false,
	    "http_status", "302");
	fails(b, "{\"url\":\"http://^/circle\"}", false, "too_many_redirects",
	    "more than 5 redirects");
	fails(b, "{\"url\":\"http://^/to/302?file:///etc/passwd\"}", false,
	    "bad_redirect", "no URL");
	fails(b, "{\"url\":\"http://^/to/302?gopher://^/\"}", false,
	    "bad_redirect", "no URL");
}

static void
a_redirect_changes_the_method_as_browsers_do(void **state)
{
	struct bench *b = *state;

	gives(b, "{\"url\":\"http://^/to/302?/echo\",\"body\":\"b\"}",
	    "\"GET /echo");
	gives(b,
	    "{\"method\":\"PUT\",\"url\":\"http://^/to/303?/echo\","
	    "\"body\":\"b\"}",
	    "\"GET /echo");
	gives(b, "{\"url\":\"http://^/to/307?/echo\",\"body\":\"bee\"}",
	    "\\r\\n\\r\\nbee\"");
	gives(b,
	    "{\"method\":\"PUT\",\"url\":\"http://^/to/301?/echo\","
	    "\"body\":\"bee\"}",
	    "\"PUT /echo");
}

static void
credentials_stay_with_their_origin(void **state)
{
	struct bench *b = *state;
	struct server *other = server_start();
	char params[512];
	struct op_call *call;

	gives(b,
	    "{\"url\":\"http://me:pass@^/to/302?/echo\","
	    "\"headers\":{\"X-Key\":\"k\"}}",
	    "Authorization: Basic");
	gives(b,
	    "{\"url\":\"http://^/to/302?/echo\","
	    "\"headers\":{\"X-Key\":\"k\"}}",
	    "X-Key: k");
	snprintf(params, sizeof(params),
	    "{\"url\":\"http://me:pass@^/to/302?http://127.0.0.1:%u/echo\","
	    "\"headers\":{\"X-Key\":\"k\",\"Cookie\":\"c\","
	    "\"Accept\":\"text/x\"}}",
	    other->port);
	call = call_run(b, params);
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	assert_null(strstr(call->outcome.result, "Authorization"));
	assert_null(strstr(call->outcome.result, "X-Key"));
	assert_null(strstr(call->outcome.result, "Cookie"));
	assert_non_null(strstr(call->outcome.result, "Accept: text/x"));
	op_call_free(call);
	server_stop(other);
}

/* --- parameters --- */

static void
bad_parameters_fail_without_a_request(void **state)
{
	struct bench *b = *state;
	static const char *const bad[] = {"{\"url\":\"ftp://^/\"}",
	    "{\"url\":\"file:///etc/passwd\"}", "{\"url\":\"http://\"}",
	    "{\"url\":\"http://a b/\"}", "{\"url\":\"http://a\\nb/\"}",
	    "{\"url\":\"http://^:99999/\"}",
	    "{\"url\":\"http://\\u00e4.test/\"}", "{\"url\":5}",
	    "{\"method\":\"CONNECT\",\"url\":\"http://^/\"}",
	    "{\"method\":\"get\",\"url\":\"http://^/\"}",
	    "{\"method\":\"HEAD\",\"url\":\"http://^/\",\"body\":\"\"}",
	    "{\"url\":\"http://^/\",\"body\":\"\",\"json\":1}",
	    "{\"url\":\"http://^/\",\"body\":1}",
	    "{\"url\":\"http://^/\",\"headers\":{\"a b\":\"\"}}",
	    "{\"url\":\"http://^/\",\"headers\":{\"a\":\"b\\r\\nc: d\"}}",
	    "{\"url\":\"http://^/\",\"headers\":{\"a\\r\\nb\":\"c\"}}",
	    "{\"url\":\"http://^/\",\"headers\":{\"Content-Length\":5}}",
	    "{\"url\":\"http://^/\",\"headers\":{\"transfer-encoding\":\"\"}}",
	    "{\"url\":\"http://^/\",\"headers\":{\"a\":[]}}",
	    "{\"url\":\"http://^/\",\"headers\":[]}",
	    "{\"url\":\"http://^/\",\"query\":{\"a\":{}}}",
	    "{\"url\":\"http://^/\",\"query\":\"a=b\"}",
	    "{\"url\":\"http://^/\",\"status\":99}",
	    "{\"url\":\"http://^/\",\"status\":\"6xx\"}",
	    "{\"url\":\"http://^/\",\"status\":\"300-200\"}",
	    "{\"url\":\"http://^/\",\"status\":[]}",
	    "{\"url\":\"http://^/\",\"status\":true}",
	    "{\"url\":\"http://^/\",\"timeout\":\"0s\"}",
	    "{\"url\":\"http://^/\",\"timeout\":\"2h\"}",
	    "{\"url\":\"http://^/\",\"timeout\":5}",
	    "{\"url\":\"http://^/\",\"max_bytes\":0}",
	    "{\"url\":\"http://^/\",\"redirects\":21}",
	    "{\"url\":\"http://^/\",\"redirects\":\"1\"}"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		fails(b, bad[i], false, "invalid_parameter", "");
	assert_int_equal(atomic_load(&b->server->accepted), 0);
}

static void
a_secret_is_in_no_error(void **state)
{
	struct bench *b = *state;
	static const char *const params[] = {
	    "{\"url\":\"http://secret:secret@^/status/401?k=secret\","
	    "\"headers\":{\"Authorization\":\"secret\"}}",
	    "{\"url\":\"http://secret:secret@^/secret\","
	    "\"headers\":{\"Authorization\":\"secret\\n\"}}",
	    "{\"url\":\"http://secret:secret@127.0.0.1:1/secret\"}",
	    "{\"url\":\"http://secret:secret@:1:1/secret\"}",
	    "{\"url\":\"http://^/to/302?http://secret:x@127.0.0.1:1/secret\"}",
	    "{\"url\":\"http://^/hang?secret\",\"timeout\":\"20ms\"}"};

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		struct op_call *call = call_run(b, params[i]);

		assert_int_equal(call->outcome.state, OUTCOME_FAILED);
		if (strstr(call->outcome.error, "secret") != NULL)
			fail_msg("%s", call->outcome.error);
		op_call_free(call);
	}
}

static void
a_document_is_checked_and_its_templates_are_not(void **state)
{
	static const struct {
		const char *params, *pointer;
	} bad[] = {{"{\"url\":\"ftp://x/\"}", "/url"},
	    {"{\"url\":\"${{ 1 }}\",\"method\":\"TRACE\"}", "/method"},
	    {"{\"url\":\"http://x\",\"body\":\"\",\"json\":1}", "/body"},
	    {"{\"url\":\"http://x\",\"status\":[\"2xx\",\"x\"]}", "/status"}};
	static const char *const good =
	    "{\"url\":\"${{ context.url }}/x\",\"method\":\"${{ 'GET' }}\","
	    "\"headers\":{\"a\":\"${{ 1 }}\"},\"query\":\"${{ {} }}\","
	    "\"status\":[\"${{ 200 }}\"],\"timeout\":\"${{ 1 }}s\","
	    "\"redirects\":\"${{ 1 }}\"}";
	const struct op_schema *op = &op_by_name("http")->schema;
	const struct json *v;
	struct mem m;
	struct err e;

	(void)state;
	mem_create(&m, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		assert_int_equal(json_parse(&m, bad[i].params,
				     strlen(bad[i].params), NULL, &v, &e),
		    0);
		assert_int_equal(op->check(v, &e), -1);
		assert_string_equal(e.pointer, bad[i].pointer);
	}
	assert_int_equal(json_parse(&m, good, strlen(good), NULL, &v, &e), 0);
	assert_int_equal(op->check(v, &e), 0);
	mem_destroy(&m);
}

static void
no_memory_is_a_failure_not_a_crash(void **state)
{
	struct bench *b = *state;
	bool good = false;

	for (long n = 0; !good; n++) {
		struct op_call *call = call_new(b,
		    "{\"url\":\"http://^/echo\",\"json\":{\"a\":1},"
		    "\"query\":{\"a\":1},\"headers\":{\"a\":\"b\"}}");

		mem_fail_after(n);
		http_io.start(b->driver, call);
		call_finish(b, call);
		mem_fail_after(-1);
		good = call->outcome.state == OUTCOME_SUCCESS;
		if (!good && !call->outcome.retryable &&
		    strcmp(call->outcome.error_code, "result_too_large") != 0)
			fail_msg("%ld: %s %s", n, call->outcome.error_code,
			    call->outcome.error);
		op_call_free(call);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    BENCH_TEST(an_answer_is_status_headers_and_body),
	    BENCH_TEST(a_request_says_what_its_parameters_say),
	    BENCH_TEST(a_status_that_is_not_accepted_fails),
	    BENCH_TEST(redirects_are_followed_as_far_as_allowed),
	    BENCH_TEST(a_redirect_changes_the_method_as_browsers_do),
	    BENCH_TEST(credentials_stay_with_their_origin),
	    BENCH_TEST(bad_parameters_fail_without_a_request),
	    BENCH_TEST(a_secret_is_in_no_error),
	    cmocka_unit_test(a_document_is_checked_and_its_templates_are_not),
	    BENCH_TEST(no_memory_is_a_failure_not_a_crash),
	};

	bench_limits();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
