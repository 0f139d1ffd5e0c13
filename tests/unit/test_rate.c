/* test_rate - how often somebody may: what is earned back, who is not touched,
 * and that a full table stays fair. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../modules/web/rate_table.c"

#define SECOND INT64_C(1000000000)

static struct rate_table *t;
static const struct rate_limit ten = {10, 10 * SECOND};

static int
setup(void **state)
{
	(void)state;
	t = rate_table_create();
	return t == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return munmap(t, sizeof(*t));
}

static int64_t
take(const char *key, int64_t now)
{
	return rate_take(t, 1, key, strlen(key), ten, INT64_MAX, now);
}

static void
so_many_at_once_then_one_as_often_as_earned(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(take("a", 100), 0);
	assert_int_equal(take("a", 100), SECOND);
	assert_int_equal(take("a", 100 + SECOND / 2), SECOND / 2);
	assert_int_equal(take("a", 100 + SECOND), 0);
	assert_int_not_equal(take("a", 100 + SECOND), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(take("a", 100 * SECOND), 0);
	assert_int_not_equal(take("a", 100 * SECOND), 0);
}

static void
keys_and_kinds_do_not_touch_one_another(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 11; i++)
		(void)take("a", 100);
	assert_int_not_equal(take("a", 100), 0);
	assert_int_equal(take("b", 100), 0);
	assert_int_equal(rate_take(t, 2, "a", 1, ten, INT64_MAX, 100), 0);
}

static void
a_smaller_burst_refuses_earlier_and_takes_from_the_same(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(rate_take(t, 1, "a", 1, ten, 3, 100), 0);
	assert_int_equal(rate_take(t, 1, "a", 1, ten, 3, 100), SECOND);
	for (i = 0; i < 7; i++)
		assert_int_equal(take("a", 100), 0);
	assert_int_not_equal(take("a", 100), 0);
}

static void
what_is_given_back_can_be_taken_again(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		(void)take("a", 100);
	assert_int_equal(rate_wait(t, 1, "a", 1, ten, 100), SECOND);
	rate_give(t, 1, "a", 1, ten);
	assert_int_equal(rate_wait(t, 1, "a", 1, ten, 100), 0);
	assert_int_equal(take("a", 100), 0);
	assert_int_not_equal(take("a", 100), 0);
	rate_forget(t, 1, "a", 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(take("a", 100), 0);
	rate_give(t, 1, "nobody", 6, ten);
	assert_int_equal(rate_wait(t, 1, "nobody", 6, ten, 100), 0);
}

static void
no_limit_never_refuses(void **state)
{
	struct rate_limit none = {0, 0};
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(
		    rate_take(t, 1, "a", 1, none, INT64_MAX, 100), 0);
	assert_int_equal(rate_wait(t, 1, "a", 1, none, 100), 0);
}

static void
a_flood_of_keys_does_not_give_one_that_is_refused_its_attempts_back(
    void **state)
{
	char key[32];
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_int_equal(take("attacker", 100), 0);
	for (i = 0; i < RATE_CELLS * 2; i++) {
		snprintf(key, sizeof(key), "%d", i);
		assert_int_equal(take(key, 100), 0);
	}
	assert_int_not_equal(take("attacker", 100), 0);
}

static _Atomic int taken;

static void *
takes(void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 1000; i++)
		if (take("shared", 100) == 0)
			atomic_fetch_add(&taken, 1);
	return NULL;
}

static void
many_at_once_take_no_more_than_there_is(void **state)
{
	pthread_t thread[4];
	int i;

	(void)state;
	atomic_store(&taken, 0);
	(void)take("shared", 100);
	for (i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, takes, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(atomic_load(&taken), 9);
}

static void
long_keys_count_by_what_they_begin_with(void **state)
{
	static char one[2000], other[2000];
	int i;

	(void)state;
	memset(one, 'x', sizeof(one) - 1);
	memset(other, 'x', sizeof(other) - 1);
	other[1000] = 'y';
	for (i = 0; i < 10; i++)
		assert_int_equal(take(one, 100), 0);
	assert_int_not_equal(take(other, 100), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(so_many_at_once_then_one_as_often_as_earned),
	    TEST(keys_and_kinds_do_not_touch_one_another),
	    TEST(a_smaller_burst_refuses_earlier_and_takes_from_the_same),
	    TEST(what_is_given_back_can_be_taken_again),
	    TEST(no_limit_never_refuses),
	    TEST(
		a_flood_of_keys_does_not_give_one_that_is_refused_its_attempts_back),
	    TEST(many_at_once_take_no_more_than_there_is),
	    TEST(long_keys_count_by_what_they_begin_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
