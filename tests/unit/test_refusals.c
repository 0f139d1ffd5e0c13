/* test_refusals - many refused attempts make few rows of the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/web/refusals.c"

#define SECOND INT64_C(1000000000)

static struct refusals refusals;
static struct refusal_row rows[REFUSALS_MAX + 1];

static int
setup(void **state)
{
	(void)state;
	memset(&refusals, 0, sizeof(refusals));
	return 0;
}

/* n tells kinds apart. */
static struct refusal
kind(unsigned n, bool stranger)
{
	struct refusal r;

	memset(&r, 0, sizeof(r));
	if (!stranger)
		memset(&r.organization, 7, sizeof(r.organization));
	snprintf(r.address, sizeof(r.address), "192.0.2.%u", n);
	memcpy(r.outcome, "forbidden", sizeof("forbidden"));
	return r;
}

static void
add(unsigned n, bool stranger, int64_t now_s)
{
	struct refusal r = kind(n, stranger);

	refusals_add(&refusals, &r, now_s * SECOND, now_s * 1000000);
}

static unsigned
due(int64_t now_s)
{
	return refusals_due(&refusals, now_s * SECOND, rows, REFUSALS_MAX + 1);
}

static void
first_attempt_is_due_at_once(void **state)
{
	(void)state;
	assert_int_equal(due(1), 0);
	add(1, false, 1);
	assert_int_equal(due(1), 1);
	assert_int_equal(rows[0].count, 1);
	assert_int_equal(rows[0].at_us, 1000000);
	assert_string_equal(rows[0].what.address, "192.0.2.1");
	assert_int_equal(due(1), 0);
}

static void
repetitions_are_one_row_a_minute(void **state)
{
	unsigned i, n = 0;

	(void)state;
	for (i = 0; i < 600; i++) {
		add(1, false, i);
		n += due(i);
	}
	assert_in_range(n, 10, 11);
	n = due(1000);
	assert_int_equal(n, 1);
	assert_true(rows[0].count > 1);
}

static void
every_attempt_is_counted_once(void **state)
{
	uint64_t sum = 0;
	unsigned i, k, n;

	(void)state;
	for (i = 0; i < 5000; i++) {
		add(i % 300, i % 3 == 0, i / 10);
		n = due(i / 10);
		for (k = 0; k < n; k++)
			sum += rows[k].count;
	}
	for (i = 1; i < 4; i++) {
		n = due(1000 * i);
		for (k = 0; k < n; k++)
			sum += rows[k].count;
	}
	assert_int_equal(sum, 5000);
	assert_int_equal(refusals.count, 0);
	assert_int_equal(refusals.strangers, 0);
}

static void
strangers_take_no_more_than_their_places(void **state)
{
	unsigned i, n;

	(void)state;
	for (i = 0; i < 10000; i++)
		add(i, true, 1);
	assert_int_equal(refusals.strangers, REFUSALS_STRANGERS);
	for (i = 0; i < 10; i++)
		add(i, false, 1);
	n = due(1);
	assert_int_equal(n, REFUSALS_STRANGERS + 10);
	n = due(100);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].what.action, "many");
	assert_int_equal(rows[0].count, 10000 - REFUSALS_STRANGERS);
}

static void
what_was_not_taken_stays_due(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10; i++)
		add(i, false, 1);
	assert_int_equal(refusals_due(&refusals, SECOND, rows, 4), 4);
	assert_int_equal(refusals_due(&refusals, SECOND, rows, 4), 4);
	assert_int_equal(refusals_due(&refusals, SECOND, rows, 4), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(first_attempt_is_due_at_once, setup),
	    cmocka_unit_test_setup(repetitions_are_one_row_a_minute, setup),
	    cmocka_unit_test_setup(every_attempt_is_counted_once, setup),
	    cmocka_unit_test_setup(
		strangers_take_no_more_than_their_places, setup),
	    cmocka_unit_test_setup(what_was_not_taken_stays_due, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
