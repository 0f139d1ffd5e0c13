/* http_bench.h - the driver of op http beside a server of bad manners, and what
 * is expected of single calls. */
#ifndef TESTS_HTTP_BENCH_H
#define TESTS_HTTP_BENCH_H

#include <signal.h>
#include <sys/resource.h>

#include "exec_host.h"
#include "http_server.h"

/* --- a driver and its calls --- */

struct bench {
	struct server *server;
	struct exec_settings settings;
	void *driver;
	unsigned done;
};

static inline void
on_done(void *ctx, struct op_call *call)
{
	struct bench *b = ctx;

	b->done++;
	call->run_ref = 1;
}

static inline int
bench_create(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	exec_settings_default(&b->settings);
	b->server = server_start();
	b->driver = http_io.create(&b->settings, on_done, b, NULL);
	assert_non_null(b->driver);
	*state = b;
	return 0;
}

static inline int
bench_destroy(void **state)
{
	struct bench *b = *state;

	http_io.destroy(b->driver);
	server_stop(b->server);
	free(b);
	return 0;
}

static inline void
step(struct bench *b)
{
	struct pollfd fd = {.fd = http_io.fd(b->driver), .events = POLLIN};
	int64_t due = http_io.due_ns(b->driver);
	int64_t wait = due == INT64_MAX ? 1000000000 : due - clock_mono_ns();

	poll(&fd, 1, wait <= 0 ? 0 : (int)(wait / 1000000 + 1));
	http_io.ready(b->driver);
}

/* ^ in the parameters is the server's address, with its port. */
static inline struct op_call *
call_new(struct bench *b, const char *params)
{
	struct op_call *call = op_call_new();
	char text[8192], host[32];
	const char *at = params;
	size_t len = 0;
	struct err e;

	snprintf(host, sizeof(host), "127.0.0.1:%u", b->server->port);
	for (; *at != '\0'; at++)
		if (*at == '^')
			len += (size_t)sprintf(text + len, "%s", host);
		else
			text[len++] = *at;
	if (json_parse(&call->mem, text, len, NULL, &call->params, &e) != 0)
		fail_msg("%s: %s", params, e.message);
	call->scope.allowed = ALLOW_PRIVATE_ADDRESSES;
	return call;
}

static inline void
call_finish(struct bench *b, struct op_call *call)
{
	while (call->run_ref == 0)
		step(b);
	if (call->rest != NULL)
		op_by_name("http")->compute(call);
}

static inline struct op_call *
call_run(struct bench *b, const char *params)
{
	struct op_call *call = call_new(b, params);

	http_io.start(b->driver, call);
	call_finish(b, call);
	return call;
}

static inline void
gives(struct bench *b, const char *params, const char *result)
{
	struct op_call *call = call_run(b, params);

	if (call->outcome.state != OUTCOME_SUCCESS)
		fail_msg("%s: %s", params, call->outcome.error);
	if (strstr(call->outcome.result, result) == NULL)
		fail_msg("%s gives %s", params, call->outcome.result);
	op_call_free(call);
}

static inline void
fails(struct bench *b, const char *params, bool retryable, const char *code,
    const char *text)
{
	struct op_call *call = call_run(b, params);

	if (call->outcome.state != OUTCOME_FAILED)
		fail_msg("%s: succeeded", params);
	if (strcmp(call->outcome.error_code, code) != 0)
		fail_msg("%s: %s %s", params, call->outcome.error_code,
		    call->outcome.error);
	if (strstr(call->outcome.error, text) == NULL)
		fail_msg("%s says %s", params, call->outcome.error);
	assert_int_equal(call->outcome.retryable, retryable);
	assert_null(call->outcome.result);
	op_call_free(call);
}

/* In main: thousands of sockets, and those that close while we write. */
static inline void
bench_limits(void)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

#define BENCH_TEST(f)                                                          \
	cmocka_unit_test_setup_teardown(f, bench_create, bench_destroy)

#endif
