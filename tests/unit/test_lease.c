/* test_lease.c - nothing starts after the lease is over, until it is renewed. */
#include "exec_host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "exec/lease.h"

#define FOREVER INT64_MAX
#define STEPS	30 /* of 10 ms: the arena looks every 20 ms */

static _Atomic int64_t *lease; /* shared with the runner */
static char folder[64], socket_path[128], scratch[128], file[128];
static struct exec *exec;
static struct db *db;

/* One arena under the lease; runner: with one command at a time. */
static void
begin(bool runner)
{
	struct exec_settings s;
	struct err e = {0};

	exec_settings_default(&s);
	s.arenas = 1;
	s.shm_bytes = 16 << 20;
	s.max_runs = 64;
	s.flush_ns = 1000000;
	s.pin = false;
	s.lease = lease;
	if (runner) {
		s.runner.socket = socket_path;
		s.runner.scratch = scratch;
		s.runner.sandbox = false;
		s.runner.concurrency = 1;
		s.runner.lease = lease;
		if (runner_spawn(&s.runner, &e) == -1)
			fail_msg("%s", e.message);
	}
	assert_non_null(exec = exec_create(&s, &e));
	assert_int_equal(exec_attach(exec, 0, &e), 0);
	db = db_create(4);
}

static void
end(void)
{
	exec_detach(exec);
	exec_destroy(exec);
	db_free(db);
}

static void
some_time(void)
{
	for (int i = 0; i < STEPS; i++)
		host_step(exec, db, 10);
}

static void
without_a_lease_nothing_is_ever_over(void **state)
{
	(void)state;
	assert_false(lease_over(NULL, INT64_MAX));
	atomic_store(lease, 100);
	assert_false(lease_over(lease, 99));
	assert_true(lease_over(lease, 100));
}

static void
runs_wait_while_the_lease_is_over(void **state)
{
	struct test_plan p = plan_from_json(
	    "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\",\"op\":\"lua\","
	    "\"dependencies\":[\"a\"],\"with\":{\"script\":\"return 1\"}}]}");
	struct exec_status status;

	(void)state;
	begin(false);
	plan_put(exec, &p);
	atomic_store(lease, clock_mono_ns());
	run_go(exec, 0, &p, NULL);
	some_time();
	exec_status(exec, &status);
	assert_int_equal(status.nodes_completed, 0);
	atomic_store(lease, FOREVER);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	end();
	free(p.plan);
}

static void
what_follows_a_wait_waits_for_the_lease(void **state)
{
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
			   "\"with\":{\"duration\":\"50ms\"}},{\"name\":\"b\","
			   "\"op\":\"lua\",\"dependencies\":[\"a\"],"
			   "\"with\":{\"script\":\"return 1\"}}]}");
	struct exec_status status;

	(void)state;
	atomic_store(lease, FOREVER);
	begin(false);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (atomic_load(&db->list[0].status) != RUN_RUNNING)
		host_step(exec, db, 10);
	atomic_store(lease, 0);
	some_time();
	exec_status(exec, &status);
	assert_int_equal(status.runs_completed, 0);
	atomic_store(lease, FOREVER);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	end();
	free(p.plan);
}

static size_t
lines(void)
{
	struct stat st;

	return stat(file, &st) == 0 ? (size_t)st.st_size / 2 : 0;
}

/* Two commands, one at a time: the second waits in the runner. */
static void
commands_that_wait_in_the_runner_wait_for_the_lease(void **state)
{
	char text[600];
	struct test_plan p;

	(void)state;
	snprintf(text, sizeof(text),
	    "{\"nodes\":[{\"name\":\"a\",\"op\":\"command\",\"with\":"
	    "{\"shell\":\"echo 1 >> %s; sleep 0.2\"}},"
	    "{\"name\":\"b\",\"op\":\"command\",\"with\":"
	    "{\"shell\":\"echo 1 >> %s; sleep 0.2\"}}]}",
	    file, file);
	p = plan_from_json(text);
	atomic_store(lease, FOREVER);
	begin(true);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	while (lines() == 0)
		host_step(exec, db, 5);
	atomic_store(lease, 0);
	for (int i = 0; i < 3; i++)
		some_time();
	assert_int_equal(lines(), 1);
	atomic_store(lease, FOREVER);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	assert_int_equal(lines(), 2);
	end();
	free(p.plan);
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	lease = mmap(NULL, sizeof(*lease), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	strcpy(folder, "/tmp/open-lease-XXXXXX");
	if (lease == MAP_FAILED || mkdtemp(folder) == NULL)
		return -1;
	chmod(folder, 0755);
	snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
	snprintf(scratch, sizeof(scratch), "%s/scratch", folder);
	snprintf(file, sizeof(file), "%s/ran", folder);
	fd = open(file, O_CREAT | O_WRONLY, 0666);
	fchmod(fd, 0666);
	return close(fd);
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(file);
	unlink(socket_path);
	rmdir(scratch);
	rmdir(folder);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_lease_nothing_is_ever_over),
	    cmocka_unit_test(runs_wait_while_the_lease_is_over),
	    cmocka_unit_test(what_follows_a_wait_waits_for_the_lease),
	    cmocka_unit_test(
		commands_that_wait_in_the_runner_wait_for_the_lease),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
