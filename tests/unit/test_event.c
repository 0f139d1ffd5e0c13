/* The event log of a run: kept in order, written with the completions, whole
 * after an owner that died. */
#include "exec_host.h"

#include "exec/arena.h"

#define EVENTS 200 /* some chunks */

static const char waiting[] =
    "{\"nodes\":[{\"name\":\"a\"},"
    "{\"name\":\"b\",\"op\":\"delay\",\"with\":{\"duration\":\"1h\"}}]}";

struct world {
	struct exec *exec;
	struct db *db;
	struct test_plan plan;
	struct db_execution *x;
	struct local *local;
	uint32_t told; /* events before ours */
};

/* A run whose first node has ended, whose second one waits for an hour. */
static void
begin(struct world *w, const char *definition)
{
	struct run_ref ref;
	struct exec_settings settings = small_settings();

	settings.flush_ns = 100000; /* the second node is told of at once */
	w->exec = exec_with(&settings);
	w->db = db_create(1);
	w->plan = plan_from_json(definition);
	w->x = &w->db->list[0];
	plan_put(w->exec, &w->plan);
	ref = run_go(w->exec, 0, &w->plan, NULL);
	w->local = &w->exec->arena->locals[ref.slot];
	while (atomic_load(&w->x->status) != RUN_RUNNING ||
	       (w->plan.plan->durability != DURABILITY_MEMORY &&
		   w->x->events[0].kind != EVENT_STARTED))
		host_step(w->exec, w->db, 1000);
	w->told = event_count(&w->exec->slots.list[w->local->slot].events);
}

static void
end(struct world *w)
{
	struct uuid id = execution_id(0);

	exec_cancel(w->exec, &id);
	run_wait(w->exec, w->db, 0);
	exec_destroy(w->exec);
	db_free(w->db);
	free(w->plan.plan);
}

static struct run_event
event_of(uint32_t i)
{
	return (struct run_event){.node = 1,
	    .element = i,
	    .kind = EVENT_SUCCESS,
	    .attempt = (uint16_t)(i % 7 + 1),
	    .started_ns = i * 1000,
	    .completed_ns = i * 2000};
}

/* As the arena's thread does, in its place. */
static uint32_t
append(struct world *w, uint32_t from, uint32_t count)
{
	struct arena *a = w->exec->arena;
	uint32_t i;

	pthread_mutex_lock(&a->awake);
	for (i = from; i < from + count; i++) {
		struct run_event event = event_of(i);

		if (!event_append(a, w->local, &event))
			break;
	}
	a->now_ns = clock_mono_ns();
	arena_settle(a, w->local);
	pthread_mutex_unlock(&a->awake);
	arena_wake(a->shared);
	return i - from;
}

static void
check_events(const struct world *w, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct db_node *n = &w->x->events[w->told + i];

		assert_int_equal(n->node, 1);
		assert_int_equal(n->element, i);
		assert_int_equal(n->kind, EVENT_SUCCESS);
		assert_int_equal(n->attempts, i % 7 + 1);
		assert_int_equal(n->started_us, i);
		assert_int_equal(n->completed_us, i * 2);
	}
}

static void
events_are_written_in_their_order_beside_completions(void **state)
{
	struct world w;

	(void)state;
	begin(&w, waiting);
	for (uint32_t n = 0; n < EVENTS; n += 50)
		assert_int_equal(append(&w, n, 50), 50);
	while (w.x->events[w.told + EVENTS - 1].kind == 0)
		host_step(w.exec, w.db, 1000);
	check_events(&w, EVENTS);
	end(&w);
}

/* A range that was offered stays as it is, whatever comes in meanwhile. */
static void
an_offered_range_never_changes(void **state)
{
	struct journal_entry entry, again;
	struct world w;

	(void)state;
	begin(&w, waiting);
	append(&w, 0, 10);
	do {
		usleep(1000);
	} while (journal_collect(w.exec, &entry, 1) == 0);
	append(&w, 10, 20);
	journal_failed(w.exec, &entry, 1);
	assert_int_equal(journal_collect(w.exec, &again, 1), 1);
	assert_int_equal(again.first, entry.first);
	assert_int_equal(again.count, entry.count);
	assert_int_equal(again.events, entry.events);
	db_write(w.exec, w.db, &again, 1);
	journal_committed(w.exec, &again, 1);
	while (w.x->events[w.told + 29].kind == 0)
		host_step(w.exec, w.db, 1000);
	check_events(&w, 30);
	end(&w);
}

/* The dead owner had a chunk and an event in it, but had not counted it. */
static void
whoever_takes_over_goes_on_behind_what_is_counted(void **state)
{
	struct event_log *log;
	struct world w;
	uint32_t slot;

	(void)state;
	begin(&w, waiting);
	slot = w.local->slot;
	log = &w.exec->slots.list[slot].events;
	append(&w, 0, EVENT_CHUNK);
	exec_detach(w.exec);
	atomic_fetch_sub(&log->count, 1);
	assert_int_equal(exec_attach(w.exec, 0, NULL), 0);
	w.local = &w.exec->arena->locals[slot];
	append(&w, EVENT_CHUNK - 1, EVENT_CHUNK * 8 + 1);
	while (w.x->events[w.told + EVENT_CHUNK * 9 - 1].kind == 0)
		host_step(w.exec, w.db, 1000);
	check_events(&w, EVENT_CHUNK * 9);
	end(&w);
}

/* In place of what it could not append, whoever asked does something else. */
static void
a_full_region_takes_no_event_and_keeps_the_others(void **state)
{
	struct event_log *log;
	struct world w;
	uint32_t n = 0;

	(void)state;
	begin(&w, waiting);
	log = &w.exec->slots.list[w.local->slot].events;
	w.exec->settings.reserve_bytes = w.exec->settings.shm_bytes * 4;
	n = append(&w, 0, EVENTS);
	assert_int_equal(w.told + n, EVENT_CHUNK); /* no second one */
	w.exec->settings.reserve_bytes = 4096;
	assert_int_equal(append(&w, n, EVENTS - n), EVENTS - n);
	assert_int_equal(event_count(log), w.told + EVENTS);
	while (w.x->events[w.told + EVENTS - 1].kind == 0)
		host_step(w.exec, w.db, 1000);
	check_events(&w, EVENTS);
	end(&w);
}

static void
nothing_is_kept_of_a_run_without_history(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "{\"durability\":\"memory\",\"nodes\":[{\"name\":\"a\"},"
		  "{\"name\":\"b\",\"op\":\"delay\",\"with\":{\"duration\":"
		  "\"1h\"}}]}");
	assert_int_equal(append(&w, 0, 50), 50);
	assert_int_equal(
	    event_count(&w.exec->slots.list[w.local->slot].events), 0);
	end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		events_are_written_in_their_order_beside_completions),
	    cmocka_unit_test(an_offered_range_never_changes),
	    cmocka_unit_test(whoever_takes_over_goes_on_behind_what_is_counted),
	    cmocka_unit_test(a_full_region_takes_no_event_and_keeps_the_others),
	    cmocka_unit_test(nothing_is_kept_of_a_run_without_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
