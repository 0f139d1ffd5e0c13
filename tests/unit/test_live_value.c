/* What an event tells: rows of the database and their fields as GraphQL prints
 * them; plans of subscriptions, copied whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/live_plan.c"
#include "web/live_value.c"

/* Rows as the database gives them: texts, NULL for null. */
struct sql_rows {
	const char *cells[12];
};

bool
sql_is_null(const struct sql_rows *r, int row, int column)
{
	(void)row;
	return r->cells[column] == NULL;
}

const char *
sql_get(const struct sql_rows *r, int row, int column)
{
	(void)row;
	return r->cells[column] == NULL ? "" : r->cells[column];
}

size_t
sql_get_len(const struct sql_rows *r, int row, int column)
{
	return strlen(sql_get(r, row, column));
}

int64_t
sql_get_int(const struct sql_rows *r, int row, int column)
{
	return strtoll(sql_get(r, row, column), NULL, 10);
}

bool
sql_get_bool(const struct sql_rows *r, int row, int column)
{
	return sql_get(r, row, column)[0] == 't';
}

bool
sql_get_uuid(const struct sql_rows *r, int row, int column, struct uuid *out)
{
	return uuid_parse(
	    sql_get(r, row, column), sql_get_len(r, row, column), out);
}

#define EXECUTION    "01900000-0000-7000-8000-000100000000"
#define ORGANIZATION "01900000-0000-7000-8000-00000000000a"

static const struct sql_rows run = {{EXECUTION, ORGANIZATION, "failed",
    "1700000000000000", "1700000001500000", "1690000000000000", "f", "3", "1",
    "1", "{\"a\": [1, null]}", "say \"no\"\n"}};
static const struct sql_rows node = {
    {"2", "b", "running", "3", "1700000000123000", "0", NULL, NULL, NULL}};

static void
shows(const struct live_value *v, const char *name, const char *expected)
{
	struct buf b;
	bool text = false;

	assert_true(live_field_known(v->node != LIVE_RUN, name, &text));
	buf_create(&b, 0);
	live_field_write(v, name, &b);
	assert_int_equal(b.len, strlen(expected));
	assert_memory_equal(b.data, expected, b.len);
	buf_free(&b);
}

static void
an_execution_is_told_as_a_query_shows_it(void **state)
{
	struct live_value *v = live_value_run_row(&run, 0);

	(void)state;
	assert_non_null(v);
	shows(v, "__typename", "\"Execution\"");
	shows(v, "id", "\"" EXECUTION "\"");
	shows(v, "status", "\"FAILED\"");
	shows(v, "startedAt", "\"2023-11-14T22:13:20Z\"");
	shows(v, "completedAt", "\"2023-11-14T22:13:21.5Z\"");
	shows(v, "totalNodes", "3");
	shows(v, "succeededNodes", "1");
	shows(v, "failedNodes", "1");
	shows(v, "result", "{\"a\": [1, null]}");
	shows(v, "errorMessage", "\"say \\\"no\\\"\\n\"");
	assert_true(live_value_final(v));
	assert_int_equal(v->time_us, 1700000001500000);
	live_value_release(v);
}

static void
a_node_is_told_as_a_query_shows_it(void **state)
{
	struct uuid execution, organization;
	struct live_value *v;

	(void)state;
	assert_true(uuid_parse(EXECUTION, 36, &execution));
	assert_true(uuid_parse(ORGANIZATION, 36, &organization));
	v = live_value_node_row(&node, 0, &execution, &organization);
	assert_non_null(v);
	shows(v, "__typename", "\"NodeExecution\"");
	shows(v, "executionId", "\"" EXECUTION "\"");
	shows(v, "nodeIndex", "2");
	shows(v, "nodeName", "\"b\"");
	shows(v, "status", "\"RUNNING\"");
	shows(v, "startedAt", "\"2023-11-14T22:13:20.123Z\"");
	shows(v, "completedAt", "null");
	shows(v, "retryCount", "2");
	shows(v, "result", "null");
	shows(v, "error", "null");
	shows(v, "log", "null");
	assert_false(live_value_final(v));
	live_value_release(v);
}

static void
a_row_that_makes_no_sense_is_none(void **state)
{
	struct sql_rows r = run;
	struct uuid id;

	(void)state;
	memset(&id, 0, sizeof(id));
	r.cells[2] = "nowhere";
	assert_null(live_value_run_row(&r, 0));
	r = run;
	r.cells[0] = "no id";
	assert_null(live_value_run_row(&r, 0));
	r = run;
	r.cells[1] = NULL;
	assert_null(live_value_run_row(&r, 0));
	r = node;
	r.cells[2] = "paused"; /* an execution's */
	assert_null(live_value_node_row(&r, 0, &id, &id));
}

static void
a_value_lives_as_long_as_somebody_holds_it(void **state)
{
	struct live_value *v = live_value_run_row(&run, 0);

	(void)state;
	assert_ptr_equal(live_value_hold(v), v);
	live_value_release(v);
	shows(v, "status", "\"FAILED\"");
	live_value_release(v);
	live_value_release(NULL);
}

static void
without_memory_there_is_no_value_and_nothing_is_left(void **state)
{
	struct live_value *v = NULL;

	(void)state;
	for (long budget = 0; v == NULL && budget < 100; budget++) {
		mem_fail_after(budget);
		v = live_value_run_row(&run, 0);
		mem_fail_after(-1);
	}
	assert_non_null(v);
	live_value_release(v);
}

static void
only_what_events_tell_is_known_and_texts_are_wanted_only_for_texts(void **state)
{
	static const char *const others[] = {
	    "dag", "duration", "compute", "pausedAt", "", "STATUS"};
	bool text = false;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(live_field_known(false, others[i], &text));
		assert_false(live_field_known(true, others[i], &text));
	}
	assert_false(live_field_known(false, "nodeName", &text));
	assert_false(live_field_known(true, "errorMessage", &text));
	assert_true(live_field_known(true, "status", &text));
	assert_true(live_field_known(false, "result", &text));
	assert_false(text);
	assert_true(live_field_known(true, "log", &text));
	assert_true(text);
	assert_true(live_field_known(true, "status", &text));
	assert_true(text); /* what was wanted before still is */
}

static void
a_plan_is_copied_whole(void **state)
{
	char key[] = "n", first[] = "a", second[] = "d", name[] = "status";
	struct live_field_plan fields[] = {{first, name}, {second, NULL}};
	struct live_plan plan = {.key = key,
	    .nodes = true,
	    .since_given = true,
	    .since_us = 7,
	    .fields = fields,
	    .field_count = 2};
	struct live_plan *copy = live_plan_copy(&plan);

	(void)state;
	assert_non_null(copy);
	memset(key, 'x', sizeof(key) - 1);
	memset(first, 'x', sizeof(first) - 1);
	memset(second, 'x', sizeof(second) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(fields, 0, sizeof(fields));
	assert_string_equal(copy->key, "n");
	assert_true(copy->nodes && copy->since_given);
	assert_int_equal(copy->since_us, 7);
	assert_int_equal(copy->field_count, 2);
	assert_string_equal(copy->fields[0].key, "a");
	assert_string_equal(copy->fields[0].name, "status");
	assert_string_equal(copy->fields[1].key, "d");
	assert_null(copy->fields[1].name);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_execution_is_told_as_a_query_shows_it),
	    cmocka_unit_test(a_node_is_told_as_a_query_shows_it),
	    cmocka_unit_test(a_row_that_makes_no_sense_is_none),
	    cmocka_unit_test(a_value_lives_as_long_as_somebody_holds_it),
	    cmocka_unit_test(
		without_memory_there_is_no_value_and_nothing_is_left),
	    cmocka_unit_test(
		only_what_events_tell_is_known_and_texts_are_wanted_only_for_texts),
	    cmocka_unit_test(a_plan_is_copied_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
