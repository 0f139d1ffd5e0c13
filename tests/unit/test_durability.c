/* Durability as a choice: what reaches the database, and when. */
#include "exec_host.h"

#include <sched.h>

#include "exec/arena.h"

/* A run under way whose journal the test writes itself. */
struct case_run {
	struct exec *exec;
	struct db *db;
	struct test_plan plan;
	struct db_execution *x;
	size_t before;
};

static struct case_run
begin(const char *definition)
{
	struct case_run c = {.exec = exec_small(), .db = db_create(1)};

	c.plan = plan_from_json(definition);
	plan_put(c.exec, &c.plan);
	c.before = bytes_free(c.exec);
	c.x = &c.db->list[0];
	run_go(c.exec, 0, &c.plan, NULL);
	return c;
}

static void
end(struct case_run *c)
{
	run_wait(c->exec, c->db, 0);
	assert_empty(c->exec, c->before);
	exec_destroy(c->exec);
	db_free(c->db);
	free(c->plan.plan);
}

/* Waits for the next entry, which is then up to the caller. */
static struct journal_entry
next_entry(struct case_run *c)
{
	struct pollfd fd = {.fd = journal_fd(c->exec), .events = POLLIN};
	struct journal_entry entry;
	uint64_t ignored;

	do {
		poll(&fd, 1, 1000);
		if (read(fd.fd, &ignored, sizeof(ignored)) < 0)
			continue;
	} while (journal_collect(c->exec, &entry, 1) == 0);
	return entry;
}

static void
write_entry(struct case_run *c, const struct journal_entry *entry)
{
	db_write(c->exec, c->db, entry, 1);
	journal_committed(c->exec, entry, 1);
}

#define DIAMOND                                                                \
	"\"nodes\":[{\"name\":\"a\"},"                                         \
	"{\"name\":\"b\",\"dependencies\":[\"a\"]},"                           \
	"{\"name\":\"c\",\"dependencies\":[\"a\"]},"                           \
	"{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"]}]}"

static void
sync_writes_one_entry_a_frontier(void **state)
{
	static const uint32_t counts[] = {1, 2, 1};
	struct case_run c = begin("{\"durability\":\"sync\"," DIAMOND);
	uint32_t first = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct journal_entry entry = next_entry(&c);

		assert_int_equal(entry.first, first);
		assert_int_equal(entry.count, counts[i]);
		assert_int_equal(
		    entry.status, i < 2 ? RUN_RUNNING : RUN_SUCCESS);
		assert_int_equal(entry.status_changed, i != 1);
		write_entry(&c, &entry);
		first += entry.count;
	}
	assert_int_equal(c.x->status, RUN_SUCCESS);
	assert_int_equal(c.x->rows, 3);
	db_check(c.x, 4);
	db_check_order(c.x, c.plan.plan);
	db_check_frontiers(c.x, c.plan.plan);
	end(&c);
}

static void
sync_starts_nothing_while_the_database_refuses(void **state)
{
	struct case_run c = begin("{\"durability\":\"sync\"," DIAMOND);
	struct journal_entry entry;

	(void)state;
	for (int i = 0; i < 50; i++) {
		entry = next_entry(&c);
		assert_int_equal(entry.first, 0);
		assert_int_equal(entry.count, 1);
		journal_failed(c.exec, &entry, 1);
	}
	end(&c);
}

static void
sync_holds_for_nodes_that_take_time(void **state)
{
	struct case_run c =
	    begin("{\"durability\":\"sync\",\"nodes\":["
		  "{\"name\":\"a\",\"op\":\"lua\",\"with\":"
		  "{\"script\":\"return 20\"}},"
		  "{\"name\":\"b\",\"dependencies\":[\"a\"],\"op\":\"delay\","
		  "\"with\":{\"duration\":\"5ms\"}},"
		  "{\"name\":\"c\",\"dependencies\":[\"a\"],\"op\":\"lua\","
		  "\"with\":{\"script\":\"return nodes.a.result + 1\"}},"
		  "{\"name\":\"d\",\"dependencies\":[\"b\",\"c\"]},"
		  "{\"name\":\"e\",\"dependencies\":[\"d\"],\"op\":\"lua\","
		  "\"with\":{\"script\":\"return nodes.c.result\"}}]}");

	(void)state;
	run_wait(c.exec, c.db, 0);
	assert_int_equal(c.x->status, RUN_SUCCESS);
	assert_string_equal(c.x->result, "{\"e\":21}");
	db_check(c.x, 5);
	db_check_order(c.x, c.plan.plan);
	db_check_frontiers(c.x, c.plan.plan);
	end(&c);
}

static void
sync_runs_can_be_cancelled_while_they_wait_for_the_database(void **state)
{
	struct case_run c = begin("{\"durability\":\"sync\"," DIAMOND);
	struct journal_entry entry = next_entry(&c);
	struct uuid id = execution_id(0);

	(void)state;
	assert_true(exec_cancel(c.exec, &id));
	while (slot_word(&c.exec->slots, entry.run.slot).state != SLOT_ENDED)
		sched_yield();
	journal_failed(c.exec, &entry, 1);
	run_wait(c.exec, c.db, 0);
	assert_int_equal(c.x->status, RUN_CANCELLED);
	db_check(c.x, 4);
	assert_int_equal(c.x->nodes[0].kind, EVENT_SUCCESS);
	for (int i = 1; i < 4; i++)
		assert_int_equal(c.x->nodes[i].kind, EVENT_CANCELLED);
	end(&c);
}

/* More than the event loop does for a sleeping arena. */
static void
sync_runs_with_wide_frontiers_end(void **state)
{
	static char text[100000];
	size_t at =
	    (size_t)sprintf(text, "{\"durability\":\"sync\",\"nodes\":[");
	struct case_run c;

	(void)state;
	for (int i = 0; i < 128; i++) {
		at += (size_t)sprintf(text + at, "%s{\"name\":\"n%d\"%s",
		    i > 0 ? "," : "", i, i < 65 ? "" : ",\"dependencies\":[");
		for (int k = 0; k < 65 && i >= 65; k++)
			at += (size_t)sprintf(
			    text + at, "%s\"n%d\"", k > 0 ? "," : "", k);
		at += (size_t)sprintf(text + at, i < 65 ? "}" : "]}");
	}
	strcpy(text + at, "]}");
	c = begin(text);
	run_wait(c.exec, c.db, 0);
	assert_int_equal(c.x->status, RUN_SUCCESS);
	assert_int_equal(c.x->rows, 2);
	db_check(c.x, 128);
	db_check_frontiers(c.x, c.plan.plan);
	end(&c);
}

static void
memory_writes_only_the_end(void **state)
{
	struct case_run c = begin("{\"durability\":\"memory\"," DIAMOND);
	struct journal_entry entry = next_entry(&c);

	(void)state;
	assert_int_equal(entry.status, RUN_SUCCESS);
	assert_int_equal(entry.count, 0);
	write_entry(&c, &entry);
	assert_int_equal(c.x->succeeded, 4);
	assert_int_equal(c.x->rows, 0);
	assert_int_equal(journal_lag_ns(c.exec), 0);
	end(&c);
}

static void
memory_tells_that_it_runs_when_that_takes_time(void **state)
{
	struct case_run c = begin("{\"durability\":\"memory\",\"nodes\":["
				  "{\"name\":\"a\"},"
				  "{\"name\":\"b\",\"dependencies\":[\"a\"],"
				  "\"op\":\"delay\",\"with\":"
				  "{\"duration\":\"1h\"}}]}");
	struct journal_entry entry = next_entry(&c);
	struct uuid id = execution_id(0);

	(void)state;
	assert_int_equal(entry.status, RUN_RUNNING);
	assert_int_equal(entry.count, 0);
	write_entry(&c, &entry);
	assert_true(exec_cancel(c.exec, &id));
	run_wait(c.exec, c.db, 0);
	assert_int_equal(c.x->status, RUN_CANCELLED);
	assert_int_equal(c.x->rows, 0);
	assert_int_equal(c.x->succeeded, 1);
	end(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sync_writes_one_entry_a_frontier),
	    cmocka_unit_test(sync_starts_nothing_while_the_database_refuses),
	    cmocka_unit_test(sync_holds_for_nodes_that_take_time),
	    cmocka_unit_test(
		sync_runs_can_be_cancelled_while_they_wait_for_the_database),
	    cmocka_unit_test(sync_runs_with_wide_frontiers_end),
	    cmocka_unit_test(memory_writes_only_the_end),
	    cmocka_unit_test(memory_tells_that_it_runs_when_that_takes_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
