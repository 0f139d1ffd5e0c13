/* test_runner.c - commands as an arena sees them: one client, a real runner,
 * with bubblewrap (where it works) and without.
 * long: all of it runs twice, once in each of these. */
#include "call_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "exec/runner.h"
#include "exec/runner_wire.h"

#define RESULT_BYTES (1u << 20)
#define PATIENCE_NS  INT64_C(60000000000) /* only ever reached by a bug */

static struct fixture f;
static struct runner_settings settings;
static struct runner_client *client;
static pid_t runner;
static char folder[128], socket_path[192], scratch[192];
static bool sandbox;

/* --- driving ------------------------------------------------------------------ */

static void
on_done(void *ctx, struct op_call *call)
{
	(void)ctx;
	call->run_ref++;
}

static struct op_call *
begin(const char *params)
{
	struct op_call *call = fixture_call(&f, "n");
	struct err e;

	if (json_parse(&call->mem, params, strlen(params), NULL, &call->params,
		&e) != 0)
		fail_msg("%s: %s", params, e.message);
	runner_client_start(client, call);
	return call;
}

static void
turn(int timeout_ms)
{
	struct pollfd p = {.fd = runner_client_fd(client),
	    .events = runner_client_events(client)};

	if (poll(&p, 1, timeout_ms) > 0)
		runner_client_ready(client);
}

static void
finish(struct op_call *call)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;

	while (call->run_ref == 0 && clock_mono_ns() < end)
		turn(1000);
	assert_int_equal(call->run_ref, 1);
}

static struct op_call *
run(const char *params)
{
	struct op_call *call = begin(params);

	finish(call);
	return call;
}

static struct op_call *
begin_shell(const char *line)
{
	struct json_member m = {.name = "shell", .name_len = 5};
	struct json text = {.type = JSON_STRING};
	struct json object = {.type = JSON_OBJECT, .count = 1};
	struct op_call *call;
	struct buf b;

	text.string = line;
	text.count = (uint32_t)strlen(line);
	m.value = &text;
	object.members = &m;
	buf_create(&b, 0);
	json_write(&b, &object);
	call = begin(b.data);
	buf_free(&b);
	return call;
}

static struct op_call *
shell(const char *line)
{
	struct op_call *call = begin_shell(line);

	finish(call);
	return call;
}

static void
expect_result(struct op_call *call, const char *result)
{
	if (call->outcome.state != OUTCOME_SUCCESS)
		fail_msg(
		    "%s: %s", call->outcome.error_code, call->outcome.error);
	if (result == NULL)
		assert_null(call->outcome.result);
	else
		assert_string_equal(call->outcome.result, result);
	op_call_free(call);
}

static void
expect_failure(struct op_call *call, const char *code, const char *part)
{
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	assert_string_equal(call->outcome.error_code, code);
	if (strstr(call->outcome.error, part) == NULL)
		fail_msg("%s", call->outcome.error);
	op_call_free(call);
}

/* Processes that are this command line, or whose arguments hold it. */
static int
count_processes(const char *text, bool exact)
{
	char path[300], line[4096];
	DIR *d = opendir("/proc");
	int count = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		ssize_t n = 0;
		int fd;

		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		fd = open(path, O_RDONLY);
		if (fd >= 0) {
			n = read(fd, line, sizeof(line) - 1);
			close(fd);
		}
		for (ssize_t i = 0; i < n; i++)
			if (line[i] == '\0')
				line[i] = ' ';
		line[n > 0 ? n : 0] = '\0';
		count += exact ? strncmp(line, text, strlen(text)) == 0
			       : strstr(line, text) != NULL;
	}
	closedir(d);
	return count;
}

static void
wait_for_processes(const char *text, bool some)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;

	while ((count_processes(text, some) > 0) != some) {
		assert_true(clock_mono_ns() < end);
		turn(5);
	}
}

static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int count = 0;

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

/* A sleep that no other process has. */
static const char *
unique_sleep(void)
{
	static char text[64];
	static int count;

	snprintf(text, sizeof(text), "sleep %d.%d", 80000 + ++count, getpid());
	return text;
}

/* --- results ------------------------------------------------------------------- */

static void
json_on_stdout_is_the_result(void **state)
{
	(void)state;
	expect_result(
	    shell("echo '{\"a\": [1, 2.50, null]}'"), "{\"a\":[1,2.50,null]}");
	expect_result(shell("echo 42"), "42");
	expect_result(shell("echo true"), "true");
	expect_result(
	    run("{\"argv\":[\"printf\",\"%s|\",\"a b\",\"$HOME\",\"*\",\"\"]}"),
	    "\"a b|$HOME|*||\"");
}

static void
anything_else_on_stdout_is_text(void **state)
{
	(void)state;
	expect_result(shell("echo hello; echo world"), "\"hello\\nworld\"");
	expect_result(shell("echo '{\"a\":'"), "\"{\\\"a\\\":\"");
	expect_result(shell("true"), NULL);
	expect_result(shell("echo 1e999999"), "\"1e999999\"");
	expect_result(shell("echo 1e-999999"), "\"1e-999999\"");
	expect_result(
	    shell("printf '\\377\\000x'"), "\"\xEF\xBF\xBD\xEF\xBF\xBDx\"");
	expect_result(shell("printf '\"\\377\"'"), "\"\xEF\xBF\xBD\"");
}

static void
stderr_is_the_log_of_which_the_end_is_kept(void **state)
{
	struct op_call *call = shell("echo out; echo one >&2; echo two >&2");

	(void)state;
	assert_string_equal(call->outcome.log, "one\ntwo\n");
	expect_result(call, "\"out\"");
	call = shell("head -c 30000000 /dev/zero | tr '\\0' x >&2; "
		     "echo last >&2; exit 3");
	assert_int_equal(call->outcome.log_len, 64 << 10);
	assert_string_equal(call->outcome.log + (64 << 10) - 6, "xlast\n");
	expect_failure(call, "command_failed", "exit code 3.");
	call = shell("yes '\303\244' | tr -d '\\n' | head -c 200000 >&2; "
		     "echo x >&2");
	assert_int_equal(call->outcome.log_len, 64 << 10);
	assert_null(strstr(call->outcome.log, "\xEF\xBF\xBD"));
	call->outcome.log = NULL;
	expect_result(call, NULL);
}

static void
a_non_zero_exit_is_a_failure_that_retry_may_cure(void **state)
{
	struct op_call *call = shell("echo partial; echo why >&2; exit 7");

	(void)state;
	assert_true(call->outcome.retryable);
	assert_null(call->outcome.result);
	assert_string_equal(call->outcome.log, "why\n");
	expect_failure(call, "command_failed", "exit code 7");
}

static void
a_signal_is_named(void **state)
{
	(void)state;
	expect_failure(shell("kill -SEGV $$"), "command_failed", "SIGSEGV");
	expect_failure(shell("kill -KILL $$"), "command_failed", "SIGKILL");
}

static void
a_missing_program_is_a_failure(void **state)
{
	(void)state;
	expect_failure(run("{\"argv\":[\"/no/such/program\"]}"),
	    sandbox ? "command_failed" : "command_not_started",
	    sandbox ? "not found" : "No such file");
	expect_failure(run("{\"argv\":[\"no-such-program\"]}"),
	    sandbox ? "command_failed" : "command_not_started",
	    sandbox ? "not found" : "No such file");
	expect_failure(run("{\"argv\":[\"/etc/passwd\"]}"),
	    sandbox ? "command_failed" : "command_not_started",
	    sandbox ? "exit code 126" : "Permission denied");
}

/* 200 ms of CPU time of the (sub)shell that calls it. */
#define BURN                                                                   \
	"burn() { while read -r l </proc/self/stat; set -- $l; "               \
	"[ $((${14} + ${15})) -lt 20 ]; do :; done; }; "

static void
cpu_time_is_metered(void **state)
{
	struct op_call *call = shell(BURN "( (burn; :); :); :");

	(void)state;
	assert_true(call->outcome.cpu_ns >= 100000000);
	assert_true(call->outcome.cpu_ns < INT64_C(60000000000));
	expect_result(call, NULL);
	call = shell(":");
	assert_true(call->outcome.cpu_ns > 0);
	expect_result(call, NULL);
}

static void
cpu_time_of_a_killed_command_is_metered(void **state)
{
	struct op_call *call = shell(BURN "( (burn; cat /dev/zero; :); :); :");

	(void)state;
	assert_true(call->outcome.cpu_ns >= 100000000);
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	op_call_free(call);
}

static void
parameters_that_templates_spoilt_are_refused(void **state)
{
	(void)state;
	expect_failure(run("{}"), "invalid_parameter", "exactly one");
	expect_failure(
	    run("{\"argv\":[1]}"), "invalid_parameter", "list of strings");
	expect_failure(
	    run("{\"argv\":[]}"), "invalid_parameter", "list of strings");
	expect_failure(run("{\"shell\":null}"), "invalid_parameter", "string");
	expect_failure(run("{\"shell\":\"x\",\"env\":{\"A\":1}}"),
	    "invalid_parameter", "env");
	expect_failure(
	    run("{\"shell\":\"x\",\"stdin\":1}"), "invalid_parameter", "stdin");
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* Not of bubblewrap itself, which is outside of its walls. */
static void
variables_are_the_command_s_alone(void **state)
{
	struct op_call *call;

	(void)state;
	call = run(
	    "{\"argv\":[\"cat\",\"/proc/self/environ\",\"/proc/1/cmdline\"],"
	    "\"env\":{\"LD_PRELOAD\":\"/no.so\",\"KEY\":\"s3cret\"}}");
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	assert_int_equal(count(call->outcome.result, "s3cret"), 1);
	assert_int_equal(count(call->outcome.result, "LD_PRELOAD"), 1);
	/* The loader complains once for every program that it starts: the
	 * shell that sets limits behind the walls, and the command. */
	assert_int_equal(
	    count(call->outcome.log, "ERROR: ld.so"), sandbox ? 2 : 1);
	op_call_free(call);
}

/* --- input ---------------------------------------------------------------------- */

static void
input_is_json_on_stdin(void **state)
{
	(void)state;
	expect_result(run("{\"argv\":[\"cat\"],\"input\":{\"a\":[1,2.5]}}"),
	    "{\"a\":[1,2.5]}");
	expect_result(
	    run("{\"argv\":[\"cat\"],\"input\":\"text\"}"), "\"text\"");
	expect_result(
	    run("{\"argv\":[\"wc\",\"-c\"],\"stdin\":\"as it is\"}"), "8");
	expect_result(run("{\"argv\":[\"wc\",\"-c\"]}"), "0");
	expect_result(run("{\"argv\":[\"wc\",\"-c\"],\"stdin\":\"\"}"), "0");
}

static struct op_call *
run_large(const char *program, size_t len)
{
	struct op_call *call;
	struct buf b;

	buf_create(&b, 0);
	buf_printf(&b, "{\"shell\":\"%s\",\"stdin\":\"", program);
	for (size_t i = 0; i < len; i += 10)
		buf_puts(&b, "0123456789");
	buf_puts(&b, "\"}");
	call = run(b.data);
	buf_free(&b);
	return call;
}

static void
large_input_goes_through_whatever_the_command_does(void **state)
{
	(void)state;
	expect_result(run_large("wc -c", 5000000), "5000000");
	expect_result(run_large("head -c 3", 5000000), "\"012\"");
	expect_result(run_large("exec 0<&-; echo 1", 5000000), "1");
	expect_result(run_large("exit 0", 5000000), NULL);
	expect_failure(
	    run_large("cat", 5000000), "result_too_large", "1048576");
}

static void
input_over_the_frame_limit_is_refused(void **state)
{
	(void)state;
	expect_failure(
	    run_large("cat", 70000000), "invalid_parameter", "too large");
	expect_result(shell("echo 1"), "1");
}

/* --- surroundings ---------------------------------------------------------------- */

static void
the_environment_is_clean(void **state)
{
	(void)state;
	setenv("SECRET_OF_THE_SERVER", "x", 1);
	expect_result(shell("env | cut -d= -f1 | grep -v -x -e PWD -e _ | sort "
			    "| tr '\\n' ' '"),
	    "\"HOME LANG OPEN_ATTEMPT OPEN_EXECUTION_ID OPEN_NODE PATH \"");
	expect_result(
	    shell("echo $OPEN_EXECUTION_ID $OPEN_NODE $OPEN_ATTEMPT $LANG"),
	    "\"abababab-abab-abab-abab-abababababab n 1 C.UTF-8\"");
	expect_result(run("{\"shell\":\"echo $A $LANG\",\"env\":{\"A\":\"b "
			  "c\",\"LANG\":\"C\"}}"),
	    "\"b c C\"");
}

static void
the_folder_is_empty_its_own_and_gone_afterwards(void **state)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;

	(void)state;
	expect_result(
	    shell("[ \"$(pwd)\" = \"$HOME\" ] && ls -A && echo x > file && "
		  "mkdir -p a/b && chmod 0 a && cat file"),
	    "\"x\"");
	expect_result(shell("stat -c %a ."), "700");
	while (entries(scratch) > 0) {
		assert_true(clock_mono_ns() < end);
		turn(5);
	}
}

static void
privileges_are_dropped(void **state)
{
	(void)state;
	expect_result(
	    shell("grep NoNewPrivs /proc/self/status | cut -f2"), "1");
	expect_result(
	    shell("grep CapEff /proc/self/status | cut -f2 | tr -d 0"), "\"\"");
	expect_result(shell("ulimit -c"), "0");
	expect_result(shell("ls /proc/self/fd | wc -l"), "4");
	if (geteuid() == 0)
		expect_result(shell("[ $(id -u) != 0 ] && id -G | wc -w"), "1");
}

static void
the_sandbox_shows_little(void **state)
{
	(void)state;
	if (!sandbox) {
		/* What the walls are then: the user. */
		if (geteuid() == 0)
			expect_failure(shell("cat /etc/shadow"),
			    "command_failed", "exit code 1");
		return;
	}
	expect_failure(shell("cat /etc/shadow"), "command_failed", "code 1");
	expect_failure(
	    shell("ls /root /home /var"), "command_failed", "code 2");
	expect_failure(shell("touch /usr/x"), "command_failed", "code 1");
	expect_result(shell("echo x > /tmp/x && cat /tmp/x"), "\"x\"");
	expect_result(shell("ls /tmp | wc -l"), "0");
	expect_result(shell("ls -d /proc/[0-9]* | wc -l | xargs test 20 -gt && "
			    "ls -d /usr/share"),
	    "\"/usr/share\"");
	expect_result(shell("cat /proc/net/dev | grep -c eth || true"), "0");
}

/* --- limits ----------------------------------------------------------------------- */

static void
a_gigabyte_on_stdout_costs_little_and_fails(void **state)
{
	(void)state;
	expect_failure(shell("head -c 1000000000 /dev/zero | tr '\\0' x"),
	    "result_too_large", "1048576 bytes");
	expect_failure(shell("yes"), "result_too_large", "1048576 bytes");
}

static void
a_result_of_just_the_limit_is_kept(void **state)
{
	struct op_call *call = shell("head -c 1048574 /dev/zero | tr '\\0' x");

	(void)state;
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	assert_int_equal(call->outcome.result_len, RESULT_BYTES);
	op_call_free(call);
	expect_failure(shell("head -c 1048575 /dev/zero | tr '\\0' x"),
	    "result_too_large", "1048576");
	expect_failure(shell("head -c 1048577 /dev/zero | tr '\\0' x"),
	    "result_too_large", "1048576");
}

static void
commands_run_a_few_at_a_time_and_all_of_them_run(void **state)
{
	struct op_call *calls[40];

	(void)state;
	for (int i = 0; i < 40; i++)
		calls[i] = begin_shell("echo 1");
	for (int i = 0; i < 40; i++) {
		finish(calls[i]);
		expect_result(calls[i], "1");
	}
}

static void
a_fork_bomb_is_held_and_killed(void **state)
{
	const char *line = unique_sleep();
	struct op_call *call;
	char text[256];

	(void)state;
	/* Tries to start 5,000 processes; 256 (or what the user has) is all. */
	snprintf(text, sizeof(text),
	    "i=0; while [ $i -lt 5000 ]; do %s & i=$((i + 1)); done; wait",
	    line);
	call = begin_shell(text);
	finish(call);
	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	op_call_free(call);
	wait_for_processes(line, false);
	expect_result(shell("echo 1"), "1");
}

/* --- the end ------------------------------------------------------------------------ */

static void
a_stopped_command_gets_term_and_keeps_its_log(void **state)
{
	const char *line = unique_sleep();
	struct op_call *call;
	char text[256];

	(void)state;
	snprintf(text, sizeof(text),
	    "trap 'echo bye >&2; exit 0' TERM; %s & wait", line);
	call = begin_shell(text);
	wait_for_processes(line, true);
	runner_client_stop(client, call);
	finish(call);
	assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
	assert_string_equal(call->outcome.log, "bye\n");
	op_call_free(call);
	wait_for_processes(line, false);
}

static void
a_command_that_ignores_term_is_killed_with_its_children(void **state)
{
	static const char *const lines[] = {
	    "trap '' TERM INT HUP; %s & while :; do sleep 0.01; done",
	    "setsid sh -c \"trap '' TERM; %s\" & wait", "%s & kill -STOP $$",
	    "exec >&- 2>&- <&-; %s"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *line = unique_sleep();
		struct op_call *call;
		char text[256];

		snprintf(text, sizeof(text), lines[i], line);
		call = begin_shell(text);
		wait_for_processes(line, true);
		runner_client_stop(client, call);
		finish(call);
		assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
		op_call_free(call);
		wait_for_processes(line, false);
	}
}

static void
a_command_may_be_stopped_before_it_runs(void **state)
{
	struct op_call *calls[12];

	(void)state;
	for (int i = 0; i < 12; i++)
		calls[i] = begin_shell("sleep 1000");
	for (int i = 11; i >= 0; i--)
		runner_client_stop(client, calls[i]);
	for (int i = 0; i < 12; i++) {
		finish(calls[i]);
		assert_int_equal(calls[i]->outcome.state, OUTCOME_CANCELLED);
		op_call_free(calls[i]);
	}
	expect_result(shell("echo 1"), "1");
}

static void
daemons_die_with_their_command(void **state)
{
	const char *line = unique_sleep();
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
	    "%s & setsid %s & (setsid nohup %s >/dev/null 2>&1 &); "
	    "setsid sh -c 'trap \"\" TERM HUP; %s & wait' & "
	    "(setsid sh -c '(setsid %s &) ; exit 0' &); echo 1",
	    line, line, line, line, line);
	expect_result(shell(text), "1");
	wait_for_processes(line, false);
}

static void
a_closed_connection_kills_its_commands(void **state)
{
	const char *line = unique_sleep();
	struct op_call *call = begin_shell(line);

	(void)state;
	wait_for_processes(line, true);
	runner_client_free(client);
	client = runner_client_new(&settings, on_done, NULL);
	assert_int_equal(call->run_ref, 1);
	assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
	op_call_free(call);
	wait_for_processes(line, false);
	expect_result(shell("echo 1"), "1");
}

/* --- faults of the runner itself ------------------------------------------------------ */

static bool
is_runner(int pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fscanf(file, "%31s", name) != 1)
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "open-runner") == 0;
}

/* The guard's child that serves: it has others too, which commands left. */
static pid_t
serving(void)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;
	char path[64];
	int pid, found = 0;

	snprintf(
	    path, sizeof(path), "/proc/%d/task/%d/children", runner, runner);
	while (found == 0) {
		FILE *file = fopen(path, "r");

		assert_non_null(file);
		while (fscanf(file, "%d", &pid) == 1)
			if (is_runner(pid))
				found = pid;
		fclose(file);
		assert_true(clock_mono_ns() < end);
		if (found == 0)
			poll(NULL, 0, 5);
	}
	return found;
}

static void
run_until_it_works(void)
{
	int64_t end = clock_mono_ns() + PATIENCE_NS;

	for (;;) {
		struct op_call *call = shell("echo 1");
		bool ok = call->outcome.state == OUTCOME_SUCCESS;

		if (!ok)
			assert_string_equal(
			    call->outcome.error_code, "runner_lost");
		op_call_free(call);
		if (ok)
			return;
		assert_true(clock_mono_ns() < end);
		poll(NULL, 0, 5);
	}
}

static void
a_killed_runner_is_replaced(void **state)
{
	const char *line = unique_sleep();
	struct op_call *call;
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "setsid %s & wait", line);
	call = begin_shell(text);
	wait_for_processes(line, true);
	assert_int_equal(kill(serving(), SIGKILL), 0);
	finish(call);
	assert_true(call->outcome.retryable);
	expect_failure(call, "runner_lost", "ended");
	wait_for_processes(line, false);
	run_until_it_works();
}

static void
a_killed_guard_is_replaced(void **state)
{
	const char *line = unique_sleep();
	pid_t old = serving(), guard = runner;
	struct op_call *call = begin_shell(line);

	(void)state;
	wait_for_processes(line, true);
	assert_int_equal(kill(guard, SIGKILL), 0);
	waitpid(guard, NULL, 0);
	finish(call);
	expect_failure(call, "runner_lost", "ended");
	wait_for_processes(line, false);
	run_until_it_works();
	runner = old; /* is the guard now */
	assert_int_not_equal(serving(), 0);
	kill(serving(), SIGKILL);
	run_until_it_works();
}

/* The signal that tells the runner of its guard's death may come when it has
 * noticed already; it is the guard by then, and must not end. */
static void
a_guard_killed_while_its_runner_is_busy_is_replaced(void **state)
{
	(void)state;
	for (int round = 0; round < 15; round++) {
		struct op_call *calls[12];
		pid_t next = serving();

		for (int i = 0; i < 12; i++)
			calls[i] = begin_shell("true");
		for (int i = 0; i < round; i++)
			turn(1);
		assert_int_equal(kill(runner, SIGKILL), 0);
		waitpid(runner, NULL, 0);
		for (int i = 0; i < 12; i++) {
			finish(calls[i]);
			op_call_free(calls[i]);
		}
		run_until_it_works();
		runner = next;
	}
}

static int
connect_raw(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void
malformed_frames_end_their_connection_only(void **state)
{
	static const struct wire_header headers[] = {
	    {.length = 0xffffffff, .type = WIRE_START},
	    {.length = 0, .type = 99}, {.length = 4, .type = WIRE_START},
	    {.length = 4, .type = WIRE_STOP}, {.length = 0, .type = WIRE_DONE},
	    {.length = 24, .type = WIRE_START}};
	const char *line = unique_sleep();
	struct op_call *call = begin_shell(line);
	char rest[64], answer;

	(void)state;
	memset(rest, 0xee, sizeof(rest));
	wait_for_processes(line, true);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		int fd = connect_raw();

		assert_int_equal(write(fd, &headers[i], sizeof(headers[i])),
		    sizeof(headers[i]));
		if (write(fd, rest, sizeof(rest)) < 0)
			assert_int_equal(errno, EPIPE);
		if (read(fd, &answer, 1) != 0)
			assert_int_equal(errno, ECONNRESET);
		close(fd);
	}
	runner_client_stop(client, call);
	finish(call);
	op_call_free(call);
}

static void
a_stop_for_a_command_unknown_is_nothing(void **state)
{
	struct wire_header h = {.type = WIRE_STOP, .id = 77};
	int fd = connect_raw();

	(void)state;
	assert_int_equal(write(fd, &h, sizeof(h)), sizeof(h));
	close(fd);
	expect_result(shell("echo 1"), "1");
}

static void
without_a_runner_starting_is_a_failure_to_retry(void **state)
{
	struct runner_settings nowhere = settings;
	struct runner_client *kept = client;
	struct op_call *call;

	(void)state;
	nowhere.socket = "/nonexistent/socket";
	client = runner_client_new(&nowhere, on_done, NULL);
	call = begin_shell("true");
	assert_int_equal(call->run_ref, 1);
	assert_true(call->outcome.retryable);
	expect_failure(call, "runner_lost", "reached");
	runner_client_free(client);
	client = kept;
}

/* Last: the runner's parent dies, and with it everything. */
static void
the_runner_ends_with_its_parent(void **state)
{
	const char *line = unique_sleep();
	struct runner_settings other = settings;
	struct runner_client *kept = client;
	char path[200];
	struct op_call *call;
	pid_t parent, child = 0;
	struct err e;
	int ends[2];

	(void)state;
	snprintf(path, sizeof(path), "%s/other", folder);
	other.socket = path;
	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		child = runner_spawn(&other, &e);
		if (write(ends[1], &child, sizeof(child)) != sizeof(child))
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
	assert_true(child > 0);
	client = runner_client_new(&other, on_done, NULL);
	call = begin_shell(line);
	wait_for_processes(line, true);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	finish(call);
	expect_failure(call, "runner_lost", "ended");
	wait_for_processes(line, false);
	while (kill(child, 0) == 0)
		poll(NULL, 0, 5);
	assert_int_not_equal(access(path, F_OK), 0);
	runner_client_free(client);
	client = kept;
	close(ends[0]);
	close(ends[1]);
}

/* --- suites ----------------------------------------------------------------------------- */

static int
set_up(bool with_sandbox)
{
	struct err e;

	snprintf(folder, sizeof(folder), "/tmp/open-runner-XXXXXX");
	if (mkdtemp(folder) == NULL || chmod(folder, 0711) != 0)
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	snprintf(scratch, sizeof(scratch), "%s/scratch", folder);
	settings = (struct runner_settings){.socket = socket_path,
	    .scratch = scratch,
	    .concurrency = 4,
	    .result_bytes = RESULT_BYTES,
	    .log_bytes = 64 << 10,
	    .kill_after_ns = 200000000,
	    .sandbox = with_sandbox};
	runner = runner_spawn(&settings, &e);
	client = runner_client_new(&settings, on_done, NULL);
	fixture_open(&f, "name: t\nnodes: [{name: n}]\n");
	if (runner < 0 || client == NULL)
		return -1;
	sandbox = false;
	if (with_sandbox) {
		struct op_call *call = shell("pwd");

		sandbox = call->outcome.state == OUTCOME_SUCCESS &&
			  strcmp(call->outcome.result, "\"/scratch\"") == 0;
		op_call_free(call);
	}
	return 0;
}

static int
set_up_plain(void **state)
{
	(void)state;
	return set_up(false);
}

static int
set_up_sandbox(void **state)
{
	(void)state;
	return set_up(true);
}

static int
tear_down(void **state)
{
	char line[256];

	(void)state;
	runner_client_free(client);
	kill(runner, SIGTERM);
	while (kill(runner, 0) == 0 && waitpid(runner, NULL, WNOHANG) <= 0)
		poll(NULL, 0, 5);
	fixture_close(&f);
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_on_stdout_is_the_result),
	    cmocka_unit_test(anything_else_on_stdout_is_text),
	    cmocka_unit_test(stderr_is_the_log_of_which_the_end_is_kept),
	    cmocka_unit_test(a_non_zero_exit_is_a_failure_that_retry_may_cure),
	    cmocka_unit_test(a_signal_is_named),
	    cmocka_unit_test(a_missing_program_is_a_failure),
	    cmocka_unit_test(cpu_time_is_metered),
	    cmocka_unit_test(cpu_time_of_a_killed_command_is_metered),
	    cmocka_unit_test(parameters_that_templates_spoilt_are_refused),
	    cmocka_unit_test(variables_are_the_command_s_alone),
	    cmocka_unit_test(input_is_json_on_stdin),
	    cmocka_unit_test(
		large_input_goes_through_whatever_the_command_does),
	    cmocka_unit_test(input_over_the_frame_limit_is_refused),
	    cmocka_unit_test(the_environment_is_clean),
	    cmocka_unit_test(the_folder_is_empty_its_own_and_gone_afterwards),
	    cmocka_unit_test(privileges_are_dropped),
	    cmocka_unit_test(the_sandbox_shows_little),
	    cmocka_unit_test(a_gigabyte_on_stdout_costs_little_and_fails),
	    cmocka_unit_test(a_result_of_just_the_limit_is_kept),
	    cmocka_unit_test(commands_run_a_few_at_a_time_and_all_of_them_run),
	    cmocka_unit_test(a_fork_bomb_is_held_and_killed),
	    cmocka_unit_test(a_stopped_command_gets_term_and_keeps_its_log),
	    cmocka_unit_test(
		a_command_that_ignores_term_is_killed_with_its_children),
	    cmocka_unit_test(a_command_may_be_stopped_before_it_runs),
	    cmocka_unit_test(daemons_die_with_their_command),
	    cmocka_unit_test(a_closed_connection_kills_its_commands),
	    cmocka_unit_test(a_killed_runner_is_replaced),
	    cmocka_unit_test(malformed_frames_end_their_connection_only),
	    cmocka_unit_test(a_stop_for_a_command_unknown_is_nothing),
	    cmocka_unit_test(without_a_runner_starting_is_a_failure_to_retry),
	    cmocka_unit_test(the_runner_ends_with_its_parent),
	    cmocka_unit_test(a_killed_guard_is_replaced),
	    cmocka_unit_test(
		a_guard_killed_while_its_runner_is_busy_is_replaced),
	};
	int failed;

	signal(SIGPIPE, SIG_IGN);
	failed = cmocka_run_group_tests_name(
	    "runner, plain", tests, set_up_plain, tear_down);
	failed += cmocka_run_group_tests_name(
	    "runner, sandbox", tests, set_up_sandbox, tear_down);
	return failed;
}
