/* Workers that are killed at any moment, with a database that outlives them:
 * every execution that was acknowledged ends, each node is recorded once. */
#include "exec_host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define WORKERS 3
#define PLANS	7
#define FANS	5 /* the first plan of two with a fan-out as node 0 */

static struct test_plan plans[PLANS];

static const char *const definitions[PLANS] = {
    "{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\",\"dependencies\":[\"a\"],"
    "\"op\":\"delay\",\"with\":{\"duration\":\"3ms\"}},"
    "{\"name\":\"c\",\"dependencies\":[\"a\"],\"op\":\"delay\","
    "\"with\":{\"duration\":\"8ms\"}},"
    "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"]}]}",
    "{\"nodes\":[{\"name\":\"a\",\"op\":\"delay\","
    "\"with\":{\"duration\":\"1ms\"}},"
    "{\"name\":\"b\",\"dependencies\":[\"a\"],\"op\":\"lua\","
    "\"with\":{\"script\":\"return string.rep('y', 20)\"}},"
    "{\"name\":\"c\",\"dependencies\":[\"a\"],\"op\":\"lua\","
    "\"with\":{\"script\":\"error('no')\"},"
    "\"retry\":{\"limit\":2,\"backoff\":\"2ms\"}},"
    "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"],"
    "\"trigger\":\"all_done\"},"
    "{\"name\":\"e\",\"dependencies\":[\"d\",\"c\"]}]}",
    NULL, /* a hundred noops in layers of ten, made below */
    "{\"durability\":\"sync\",\"nodes\":[{\"name\":\"a\"},"
    "{\"name\":\"b\",\"dependencies\":[\"a\"]},"
    "{\"name\":\"c\",\"dependencies\":[\"a\"],\"op\":\"delay\","
    "\"with\":{\"duration\":\"1ms\"}},"
    "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"],\"op\":\"lua\","
    "\"with\":{\"script\":\"return 1\"}},"
    "{\"name\":\"e\",\"dependencies\":[\"d\"]}]}",
    "{\"durability\":\"memory\",\"nodes\":[{\"name\":\"a\"},"
    "{\"name\":\"b\",\"dependencies\":[\"a\"],\"op\":\"delay\","
    "\"with\":{\"duration\":\"3ms\"}}]}",
    "{\"nodes\":[{\"name\":\"n\",\"for_each\":"
    "\"${{ {2, 0, math.random(3), 1, 4, 2, 1, 0, 3, 2, 1} }}\","
    "\"concurrency\":3,\"op\":\"delay\","
    "\"with\":{\"duration\":\"${{ item }}ms\"}},"
    "{\"name\":\"after\",\"dependencies\":[\"n\"]}]}",
    "{\"durability\":\"sync\",\"nodes\":[{\"name\":\"n\","
    "\"for_each\":[0,1,2,3,4,5,6,7],\"op\":\"lua\","
    "\"retry\":{\"limit\":2,\"backoff\":\"1ms\"},"
    "\"with\":{\"script\":\"return item\"}},"
    "{\"name\":\"after\",\"dependencies\":[\"n\"]}]}"};

/* How many elements their lists have. */
static const uint32_t fan_sizes[] = {11, 8};

static void
layers(char *text, size_t size)
{
	size_t at = (size_t)snprintf(text, size, "{\"nodes\":[");

	for (int i = 0; i < 100; i++) {
		at += (size_t)snprintf(text + at, size - at,
		    "%s{\"name\":\"n%d\"", i == 0 ? "" : ",", i);
		if (i >= 10)
			at += (size_t)snprintf(text + at, size - at,
			    ",\"dependencies\":[\"n%d\",\"n%d\"]",
			    i / 10 * 10 - 10, i - 10 + (i % 10 == 0));
		at += (size_t)snprintf(text + at, size - at, "}");
	}
	snprintf(text + at, size - at, "]}");
}

static int
setup(void **state)
{
	static char text[20000];

	(void)state;
	layers(text, sizeof(text));
	for (int i = 0; i < PLANS; i++)
		plans[i] = plan_from_json(
		    definitions[i] != NULL ? definitions[i] : text);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < PLANS; i++)
		free(plans[i].plan);
	return 0;
}

/* --- a worker --- */

struct world {
	struct exec *exec;
	struct db *db;
	uint64_t random;
};

static uint32_t
rnd(struct world *w, uint32_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 33) % below;
}

static void
commit(struct world *w, struct db_execution *x, struct run_ref ref)
{
	const struct test_plan *p = &plans[x->plan];
	struct err e = {0};

	if (exec_commit(w->exec, ref, &p->hash, NULL, &e) == 0)
		return;
	assert_string_equal(e.code, "plan_missing");
	plan_put(w->exec, p);
	assert_int_equal(exec_commit(w->exec, ref, &p->hash, NULL, &e), 0);
}

/* As a request to start: slot, row, hand-off. */
static void
start_one(struct world *w)
{
	struct run_start start = {.context = "{}", .context_len = 2};
	struct db_execution *x;
	struct run_ref ref;
	uint32_t k;

	if (atomic_load(&w->db->taken) >= w->db->count)
		return;
	k = atomic_fetch_add(&w->db->taken, 1);
	if (k >= w->db->count)
		return;
	x = &w->db->list[k];
	x->plan = k % PLANS;
	start.execution = execution_id(k);
	if (exec_reserve(w->exec, &start, &ref, NULL) != 0)
		return;
	if (rnd(w, 20) == 0) {
		exec_abandon(w->exec, ref);
		return;
	}
	atomic_store(&x->durable, 1);
	commit(w, x, ref);
}

static void
settle_orphans(struct world *w)
{
	struct uuid id;
	struct run_ref ref;

	while (exec_next_orphan(w->exec, &id, &ref)) {
		struct db_execution *x = db_find(w->db, &id);

		if (atomic_load(&x->durable))
			commit(w, x, ref);
		else
			exec_abandon(w->exec, ref);
	}
}

static void
write_some(struct world *w)
{
	struct journal_entry list[16];
	size_t n = journal_collect(w->exec, list, 1 + rnd(w, 16));

	if (rnd(w, 8) == 0) { /* the database says no */
		journal_failed(w->exec, list, n);
		return;
	}
	db_write(w->exec, w->db, list, n);
	if (rnd(w, 8) == 0) /* its yes got lost */
		journal_failed(w->exec, list, n);
	else
		journal_committed(w->exec, list, n);
}

static void
work(struct world *w, unsigned index)
{
	struct err e = {0};
	struct pollfd fd;

	if (exec_attach(w->exec, index, &e) != 0)
		fail_msg("%s", e.message);
	fd = (struct pollfd){.fd = journal_fd(w->exec), .events = POLLIN};
	for (;;) {
		uint64_t ignored;

		if (rnd(w, 3) == 0)
			start_one(w);
		poll(&fd, 1, 1);
		if (read(fd.fd, &ignored, sizeof(ignored)) > 0)
			write_some(w);
		settle_orphans(w);
	}
}

/* A failed claim ends the child, not only its test. */
static pid_t
spawn(struct world *w, unsigned index)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	w->random ^= (uint64_t)getpid() << 20;
	work(w, index);
	_exit(9);
}

static void
kill_worker(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* --- what must hold in the end --- */

static bool
all_ended(const struct db *db)
{
	if (atomic_load(&db->taken) < db->count)
		return false;
	for (uint32_t k = 0; k < db->count; k++)
		if (atomic_load(&db->list[k].durable) != 0 &&
		    atomic_load(&db->list[k].status) < RUN_SUCCESS)
			return false;
	return true;
}

/* The list was told once, and of each element one end. */
static void
check_elements(const struct db_execution *x, uint32_t count)
{
	uint32_t seen[DB_ROWS] = {0}, lists = 0;

	for (uint32_t i = 0; i < DB_ROWS && x->events[i].kind != 0; i++) {
		const struct db_node *e = &x->events[i];

		lists += e->kind == EVENT_EXPANDED;
		if (e->kind == EVENT_EXPANDED)
			assert_int_equal(e->element, count);
		else if (e->kind == EVENT_SUCCESS)
			assert_int_equal(++seen[e->element], 1);
	}
	assert_int_equal(lists, 1);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(seen[i], 1);
}

static void
check_all(const struct db *db)
{
	for (uint32_t k = 0; k < db->count; k++) {
		const struct db_execution *x = &db->list[k];
		const struct plan *p = plans[x->plan].plan;

		if (atomic_load(&x->durable) == 0) {
			assert_int_equal(x->status, RUN_PENDING);
			continue;
		}
		assert_int_equal(
		    x->status, x->plan == 1 ? RUN_FAILED : RUN_SUCCESS);
		assert_int_equal(x->total, p->node_count);
		if (p->durability == DURABILITY_MEMORY) {
			assert_int_equal(x->rows, 0);
			assert_int_equal(x->succeeded, p->node_count);
			continue;
		}
		db_check(x, p->node_count);
		db_check_attempts(x, p->node_count);
		db_check_order(x, p);
		if (x->plan >= FANS)
			check_elements(x, fan_sizes[x->plan - FANS]);
		if (p->durability == DURABILITY_SYNC)
			db_check_frontiers(x, p);
	}
}

/* The last worker finds everything the dead left and gives it back. */
static void
check_nothing_leaks(struct world *w, size_t bytes_free)
{
	struct exec_status s;
	struct err e = {0};

	if (exec_attach(w->exec, 0, &e) != 0)
		fail_msg("%s", e.message);
	do {
		host_step(w->exec, w->db, 10);
		settle_orphans(w);
		exec_status(w->exec, &s);
	} while (s.runs > 0 || s.arenas_alive > 1);
	assert_int_equal(s.bytes_free, bytes_free);
	print_message("%llu takeovers\n", (unsigned long long)s.takeovers);
	assert_true(s.takeovers > 0);
}

static void
workers_are_killed(unsigned workers, uint32_t count, unsigned kills)
{
	struct exec_settings settings = small_settings();
	struct world w = {.db = db_create(count)};
	struct exec_status s;
	pid_t pids[WORKERS];
	struct err e = {0};

	w.random = (uint64_t)clock_mono_ns() | 1;
	print_message("seed %llu\n", (unsigned long long)w.random);
	settings.arenas = workers;
	w.exec = exec_create(&settings, &e);
	assert_non_null(w.exec);
	for (int i = 0; i < PLANS; i++)
		plan_put(w.exec, &plans[i]);
	exec_status(w.exec, &s);
	for (unsigned i = 0; i < workers; i++)
		pids[i] = spawn(&w, i);
	for (unsigned i = 0; i < kills && !all_ended(w.db); i++) {
		unsigned victim = rnd(&w, workers);

		usleep(500 + rnd(&w, 20000));
		kill_worker(pids[victim]);
		if (rnd(&w, 4) == 0) /* others find it first */
			usleep(150000);
		pids[victim] = spawn(&w, victim);
	}
	while (!all_ended(w.db))
		usleep(1000);
	for (unsigned i = 0; i < workers; i++)
		kill_worker(pids[i]);
	check_all(w.db);
	check_nothing_leaks(&w, s.bytes_free);
	exec_destroy(w.exec);
	db_free(w.db);
}

static void
runs_of_killed_workers_are_taken_over(void **state)
{
	(void)state;
	workers_are_killed(WORKERS, 3000, 40);
}

static void
a_lone_worker_takes_up_its_own_runs_again(void **state)
{
	(void)state;
	workers_are_killed(1, 1500, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_of_killed_workers_are_taken_over),
	    cmocka_unit_test(a_lone_worker_takes_up_its_own_runs_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
