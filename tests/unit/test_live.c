/* Live events: told in order to whoever watches, none to others; a late reader
 * learns that it is late; what a dead writer left is never seen; a run can be
 * looked at from outside until it is gone. */
#include "exec_host.h"

#include <sys/wait.h>

#include "exec/arena.h"
#include "exec/live_view.h"

static const char three[] =
    "{\"nodes\":[{\"name\":\"a\"},"
    "{\"name\":\"b\",\"op\":\"lua\",\"with\":{\"script\":\"return {x = 7}\"},"
    "\"dependencies\":[\"a\"]},"
    "{\"name\":\"c\",\"op\":\"fail\",\"with\":{\"message\":\"no\"},"
    "\"dependencies\":[\"b\"]}]}";
static const char waiting[] =
    "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\",\"with\":{\"script\":"
    "\"return 7\"}},{\"name\":\"b\",\"op\":\"delay\","
    "\"with\":{\"duration\":\"1h\"},\"dependencies\":[\"a\"]}]}";

struct world {
	struct exec *exec;
	struct db *db;
	struct test_plan plan;
	struct live_event events[64];
	size_t count;
};

static void
world_create(struct world *w, const char *definition)
{
	w->exec = exec_small();
	w->db = db_create(1);
	w->plan = plan_from_json(definition);
	w->count = 0;
	plan_put(w->exec, &w->plan);
}

static void
world_destroy(struct world *w)
{
	exec_destroy(w->exec);
	db_free(w->db);
	free(w->plan.plan);
}

static void
take(struct world *w)
{
	bool missed;

	w->count += live_read(w->exec, w->events + w->count,
	    sizeof(w->events) / sizeof(w->events[0]) - w->count, &missed);
	assert_false(missed);
}

/* Reads until an event about the node is in that state. */
static const struct live_event *
await(struct world *w, uint32_t node, unsigned state)
{
	struct pollfd fd = {.fd = live_fd(w->exec), .events = POLLIN};
	uint64_t n;

	for (;;) {
		take(w);
		for (size_t i = 0; i < w->count; i++)
			if (w->events[i].node == node &&
			    w->events[i].state == state)
				return &w->events[i];
		assert_int_equal(poll(&fd, 1, 10000), 1);
		assert_int_equal(read(fd.fd, &n, sizeof(n)), sizeof(n));
	}
}

static void
whoever_watches_is_told_of_every_change_in_order(void **state)
{
	struct uuid id = execution_id(0);
	struct world w;
	int64_t before = 0;

	(void)state;
	world_create(&w, three);
	live_watch(w.exec, &id);
	assert_true(live_watched(w.exec, &id));
	run_go(w.exec, 0, &w.plan, NULL);
	await(&w, LIVE_RUN, RUN_FAILED);
	assert_int_equal(w.events[0].node, LIVE_RUN);
	assert_int_equal(w.events[0].state, RUN_RUNNING);
	for (size_t i = 0; i < w.count; i++) {
		assert_true(uuid_equal(&w.events[i].execution, &id));
		assert_int_equal(w.events[i].sequence, i + 1);
		assert_true(w.events[i].time_us >= before);
		before = w.events[i].time_us;
	}
	/* running; a; b begins and ends; c as well; failed */
	assert_int_equal(w.count, 7);
	assert_int_equal(await(&w, 0, NODE_SUCCESS)->sequence, 2);
	assert_int_equal(await(&w, 1, NODE_RUNNING)->sequence, 3);
	assert_int_equal(await(&w, 1, NODE_SUCCESS)->sequence, 4);
	assert_int_equal(await(&w, 2, NODE_FAILED)->sequence, 6);
	run_wait(w.exec, w.db, 0);
	world_destroy(&w);
}

static void
nothing_is_published_where_nobody_watches(void **state)
{
	struct uuid id = execution_id(0);
	struct world w;

	(void)state;
	world_create(&w, three);
	live_watch(w.exec, &id);
	live_watch(w.exec, &id);
	live_unwatch(w.exec, &id);
	assert_true(live_watched(w.exec, &id));
	live_unwatch(w.exec, &id);
	run_go(w.exec, 0, &w.plan, NULL);
	run_wait(w.exec, w.db, 0);
	take(&w);
	assert_int_equal(w.count, 0);
	assert_int_equal(atomic_load(&w.exec->live.shared->rings[0].count), 0);
	world_destroy(&w);
}

static void
a_worker_that_starts_forgets_what_the_dead_one_watched(void **state)
{
	struct uuid id = execution_id(0);
	struct world w;
	uint32_t i;

	(void)state;
	world_create(&w, three);
	live_watch(w.exec, &id);
	live_attach(&w.exec->live, 0);
	for (i = 0; i < LIVE_INTEREST; i++)
		assert_int_equal(
		    atomic_load(&w.exec->live.shared->interest[i]), 0);
	world_destroy(&w);
}

static void
a_pause_and_its_end_are_told(void **state)
{
	struct uuid id = execution_id(0);
	struct world w;

	(void)state;
	world_create(&w, waiting);
	live_watch(w.exec, &id);
	run_go(w.exec, 0, &w.plan, NULL);
	await(&w, 1, NODE_RUNNING);
	w.count = 0;
	exec_pause(w.exec, &id);
	await(&w, LIVE_RUN, RUN_RUNNING);
	w.count = 0;
	exec_resume(w.exec, &id);
	await(&w, LIVE_RUN, RUN_RUNNING);
	exec_cancel(w.exec, &id);
	await(&w, LIVE_RUN, RUN_CANCELLED);
	run_wait(w.exec, w.db, 0);
	world_destroy(&w);
}

static void
a_run_is_seen_as_it_is_until_it_is_gone(void **state)
{
	struct uuid id = execution_id(0);
	struct live_run_view run;
	struct live_node_view node;
	struct run_ref ref;
	uint32_t changed[4], next;
	struct world w;
	struct mem m;
	size_t count;

	(void)state;
	mem_create(&m, 0);
	world_create(&w, waiting);
	live_watch(w.exec, &id);
	ref = run_go(w.exec, 0, &w.plan, NULL);
	await(&w, 1, NODE_RUNNING);
	assert_true(live_view_run(w.exec, ref, &m, &run));
	assert_true(uuid_equal(&run.execution, &id));
	assert_int_equal(run.status, RUN_RUNNING);
	assert_int_equal(run.total, 2);
	assert_int_equal(run.succeeded, 1);
	assert_int_equal(run.completed_us, 0);
	assert_true(live_view_node(w.exec, ref, 0, true, &m, &node));
	assert_int_equal(node.status, LIVE_SUCCESS);
	assert_string_equal(node.name.text, "a");
	assert_string_equal(node.result.text, "7");
	assert_null(node.error.text);
	assert_true(node.completed_us >= node.started_us);
	assert_true(live_view_node(w.exec, ref, 1, true, &m, &node));
	assert_int_equal(node.status, LIVE_RUNNING);
	assert_int_equal(node.completed_us, 0);
	assert_false(live_view_node(w.exec, ref, 2, true, &m, &node));
	assert_true(
	    live_view_changed(w.exec, ref, 0, 0, changed, 4, &count, &next));
	assert_int_equal(count, 2);
	assert_int_equal(next, 0);
	assert_true(live_view_changed(
	    w.exec, ref, node.started_us, 0, changed, 1, &count, &next));
	assert_int_equal(count, 1);
	exec_cancel(w.exec, &id);
	run_wait(w.exec, w.db, 0);
	assert_false(live_view_run(w.exec, ref, &m, &run));
	assert_false(live_view_node(w.exec, ref, 0, true, &m, &node));
	ref.slot = UINT32_MAX;
	assert_false(live_view_run(w.exec, ref, &m, &run));
	mem_destroy(&m);
	world_destroy(&w);
}

/* --- rings ---------------------------------------------------------------- */

static struct live_event
event_of(uint64_t n)
{
	struct live_event e = {
	    .node = (uint32_t)n, .attempt = (uint16_t)n, .time_us = (int64_t)n};

	memset(&e.execution, (int)(n & 0xff), sizeof(e.execution));
	return e;
}

static void
publish(struct exec *exec, uint64_t from, uint64_t count)
{
	for (uint64_t n = from; n < from + count; n++) {
		struct live_event e = event_of(n);

		live_publish(&exec->live, 0, &e);
	}
}

static void
check(const struct live_event *e)
{
	struct live_event expected = event_of((uint64_t)e->time_us);

	assert_int_equal(e->sequence, e->time_us + 1);
	expected.sequence = e->sequence;
	assert_memory_equal(e, &expected, sizeof(*e));
}

static void
a_ring_wraps_and_a_late_reader_learns_that_it_missed_some(void **state)
{
	struct exec *exec = exec_small();
	struct live_event events[100];
	uint64_t next = 0;
	bool missed;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		publish(exec, next, 100);
		assert_int_equal(live_read(exec, events, 100, &missed), 100);
		assert_false(missed);
		for (unsigned i = 0; i < 100; i++)
			assert_int_equal(events[i].time_us, next + i);
		next += 100;
	}
	publish(exec, next, LIVE_RING + 1);
	live_read(exec, events, 100, &missed);
	assert_true(missed);
	assert_int_equal(live_read(exec, events, 100, &missed), 0);
	next += LIVE_RING + 1;
	publish(exec, next, 1);
	assert_int_equal(live_read(exec, events, 100, &missed), 1);
	assert_false(missed);
	check(&events[0]);
	exec_destroy(exec);
}

static void
an_event_cut_off_by_its_writers_death_is_never_seen(void **state)
{
	struct exec *exec = exec_small();
	struct live_ring *r = &exec->live.shared->rings[0];
	struct live_event events[4];
	bool missed;

	(void)state;
	publish(exec, 0, LIVE_RING);
	while (live_read(exec, events, 4, &missed) > 0)
		assert_false(missed);
	atomic_store(&r->claimed, LIVE_RING + 1);
	atomic_store(&r->words[0][3], 0xdeadbeef);
	assert_int_equal(live_read(exec, events, 4, &missed), 0);
	publish(exec, LIVE_RING, 2);
	assert_int_equal(live_read(exec, events, 4, &missed), 2);
	assert_false(missed);
	check(&events[0]);
	check(&events[1]);
	exec_destroy(exec);
}

/* The writer is killed at a random moment; another goes on. */
static void
what_is_read_while_another_process_writes_is_whole(void **state)
{
	struct exec *exec = exec_small();
	struct live_ring *r = &exec->live.shared->rings[0];
	struct live_event events[64];
	uint64_t seen = 0;
	bool missed;
	pid_t child;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			for (uint64_t n = atomic_load(&r->count);; n++)
				publish(exec, n, 1);
		while (seen < (round + 1) * 20000u) {
			size_t n = live_read(exec, events, 64, &missed);

			for (size_t i = 0; i < n; i++)
				check(&events[i]);
			seen += n;
		}
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	exec_destroy(exec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whoever_watches_is_told_of_every_change_in_order),
	    cmocka_unit_test(nothing_is_published_where_nobody_watches),
	    cmocka_unit_test(
		a_worker_that_starts_forgets_what_the_dead_one_watched),
	    cmocka_unit_test(a_pause_and_its_end_are_told),
	    cmocka_unit_test(a_run_is_seen_as_it_is_until_it_is_gone),
	    cmocka_unit_test(
		a_ring_wraps_and_a_late_reader_learns_that_it_missed_some),
	    cmocka_unit_test(
		an_event_cut_off_by_its_writers_death_is_never_seen),
	    cmocka_unit_test(
		what_is_read_while_another_process_writes_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
