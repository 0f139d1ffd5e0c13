/* test_known - what a server knows of credentials: kept, forgotten, never torn,
 * whoever dies in the middle. */

#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../modules/web/known.c"
#include "../../modules/web/known_settings.c"
#include "../../modules/web/settings.c"

#define CACHE 1000
#define CELLS (KNOWN_BUCKETS * KNOWN_WAYS)

static struct known *k;

static int
setup(void **state)
{
	(void)state;
	k = known_create(CACHE);
	return k == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return munmap(k, sizeof(*k));
}

/* n: also its bucket. All of it follows from n. */
static struct known_credential
credential(uint64_t n)
{
	struct known_credential c;

	memset(&c, 0, sizeof(c));
	memcpy(c.hash, &n, sizeof(n));
	memset(c.hash + 8, (int)(n % 251), 24);
	memset(&c.id, (int)(n % 251), sizeof(c.id));
	memset(&c.user, (int)(n % 7), sizeof(c.user));
	memset(&c.organization, (int)(n % 5), sizeof(c.organization));
	return c;
}

static void
keep(uint64_t n, int64_t now)
{
	struct known_credential c = credential(n);

	known_put(k, known_epoch(k), &c, now, -1);
}

static bool
is_found(uint64_t n, int64_t now)
{
	struct known_credential c = credential(n), out;

	return known_find(k, c.hash, now, &out) &&
	       memcmp(c.id.bytes, out.id.bytes, sizeof(c.id)) == 0;
}

static void
what_was_kept_is_found_for_so_long(void **state)
{
	(void)state;
	keep(1, 100);
	assert_true(is_found(1, 100));
	assert_true(is_found(1, 100 + CACHE - 1));
	assert_false(is_found(1, 100 + CACHE));
	assert_false(is_found(2, 100));
}

static void
a_sign_of_life_makes_it_true_for_longer(void **state)
{
	(void)state;
	keep(1, 100);
	known_trust(k, 5000);
	assert_true(is_found(1, 5000 + CACHE - 1));
	known_trust(k, 4000); /* an older one that came late */
	assert_true(is_found(1, 5000 + CACHE - 1));
	assert_false(is_found(1, 5000 + CACHE));
}

static void
what_is_forgotten_is_gone_and_nothing_else(void **state)
{
	struct known_credential c = credential(1);

	(void)state;
	keep(1, 100);
	keep(2, 100);
	known_forget(k, c.hash);
	assert_false(is_found(1, 101));
	assert_true(is_found(2, 101));
	keep(9, 100); /* the user of 2 */
	keep(3, 100);
	c = credential(2);
	known_forget_user(k, &c.user);
	assert_false(is_found(2, 101));
	assert_false(is_found(9, 101));
	assert_true(is_found(3, 101));
	known_forget_all(k);
	assert_false(is_found(3, 101));
}

static void
an_answer_that_was_overtaken_is_not_kept(void **state)
{
	struct known_credential c = credential(1), other = credential(2);
	uint64_t asked = known_epoch(k);

	(void)state;
	known_forget(k, other.hash);
	known_put(k, asked, &c, 100, -1);
	assert_false(is_found(1, 100));
	known_settings_put(k, asked, &c.organization, 0, "{}", 2, 100);
	assert_false(known_settings_find(
	    k, &c.organization, 100, &(struct known_settings){.len = 0}));
}

static void
without_a_cache_nothing_is_kept(void **state)
{
	(void)state;
	k->cache_ns = 0;
	keep(1, 100);
	assert_false(is_found(1, 100));
}

static void
a_full_bucket_gives_up_what_was_not_used_for_longest(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < KNOWN_WAYS; i++)
		keep(1 + (i << 32), 1000000000 * (int64_t)(1 + i));
	known_trust(k, INT64_C(100000000000));
	assert_true(is_found(1, INT64_C(50000000000)));
	keep(1 + (UINT64_C(9) << 32), INT64_C(60000000000));
	assert_true(is_found(1, INT64_C(60000000000)));
	assert_true(is_found(1 + (UINT64_C(9) << 32), INT64_C(60000000000)));
	assert_false(is_found(1 + (UINT64_C(1) << 32), INT64_C(60000000000)));
}

static size_t
used_in_all(uint32_t *at, int64_t now, struct known_credential *out)
{
	size_t n = 0;
	int i;

	for (i = 0; i < 16; i++)
		n += known_used(k, at, now, 1000, out + n, 8);
	return n;
}

static void
use_is_noted_once_an_interval(void **state)
{
	struct known_credential out[64], c = credential(7);
	uint32_t at = 0;

	(void)state;
	known_trust(k, INT64_C(1) << 60);
	keep(7, INT64_C(1000000000));
	assert_int_equal(used_in_all(&at, INT64_C(1000000001), out), 1);
	assert_memory_equal(out[0].hash, c.hash, sizeof(c.hash));
	assert_int_equal(used_in_all(&at, INT64_C(1000000002), out), 0);
	assert_true(is_found(7, INT64_C(2000000000)));
	assert_int_equal(used_in_all(&at, INT64_C(2000000001), out), 1);
	known_put(k, known_epoch(k), &c, INT64_C(3000000000), 10);
	assert_int_equal(used_in_all(&at, INT64_C(3000000001), out), 0);
}

static void
a_session_can_live_longer(void **state)
{
	struct known_credential c = credential(1), out;

	(void)state;
	keep(1, 100);
	known_extend(k, c.hash, 777);
	assert_true(known_find(k, c.hash, 101, &out));
	assert_int_equal(out.expires_ns, 777);
	known_extend(k, credential(2).hash, 777); /* gone meanwhile */
	assert_false(is_found(2, 101));
}

/* A worker that is killed while it writes has the lock and leaves a cell torn. */
static void
die_while_writing(_Atomic uint32_t *count, _Atomic uint64_t *word)
{
	pid_t child = fork();

	if (child == 0) {
		known_lock(k);
		atomic_fetch_add(count, 1);
		atomic_store(word, 0x1234);
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
a_writer_that_dies_costs_one_credential(void **state)
{
	struct known_credential c = credential(1);
	struct credential_cell *cell;

	(void)state;
	keep(1, 100);
	keep(2, 100);
	cell = bucket_of(k, c.hash);
	die_while_writing(&cell->count, &cell->words[5]);
	assert_false(is_found(1, 101)); /* without a lock, without an end */
	assert_true(is_found(2, 101));
	keep(3, 100);
	assert_true(is_found(3, 101));
	assert_false(is_found(1, 101));
	keep(1, 100);
	assert_true(is_found(1, 101));
}

static void
a_writer_of_settings_that_dies_costs_one_organization(void **state)
{
	struct known_settings s;
	struct uuid one = {{1}}, two = {{2}};

	(void)state;
	known_settings_put(k, known_epoch(k), &one, 0, "{}", 2, 100);
	known_settings_put(k, known_epoch(k), &two, 3, "{}", 2, 100);
	die_while_writing(&settings_bucket(k, &one)->count,
	    &settings_bucket(k, &one)->words[0]);
	assert_false(known_settings_find(k, &one, 101, &s));
	assert_true(known_settings_find(k, &two, 101, &s));
	assert_int_equal(s.exceeded, 3);
	known_settings_put(k, known_epoch(k), &one, 0, "{}", 2, 100);
	assert_true(known_settings_find(k, &one, 101, &s));
}

static _Atomic bool stop;
static _Atomic uint64_t found;

static void *
reads(void *arg)
{
	struct known_credential out;
	uint64_t n, i = (uint64_t)(uintptr_t)arg;
	size_t b;

	for (; !atomic_load(&stop); i++) {
		struct known_credential c = credential(1 + (i % 6 << 32));

		if (!known_find(k, c.hash, 100, &out))
			continue;
		atomic_fetch_add(&found, 1);
		memcpy(&n, out.hash, sizeof(n));
		for (b = 0; b < sizeof(out.id); b++)
			if (out.id.bytes[b] != n % 251)
				abort();
	}
	return NULL;
}

/* Six credentials for the four places of a bucket, so that cells change under
 * the readers' eyes. */
static void
readers_never_see_half_a_credential(void **state)
{
	pthread_t reader[3];
	uint64_t i;

	(void)state;
	atomic_store(&stop, false);
	atomic_store(&found, 0);
	for (i = 0; i < 3; i++)
		pthread_create(&reader[i], NULL, reads, (void *)(uintptr_t)i);
	for (i = 0; i < 300000 || atomic_load(&found) < 1000; i++) {
		struct known_credential c = credential(1 + (i % 6 << 32));

		keep(1 + (i % 6 << 32), 100 + (int64_t)(i % 3));
		if (i % 11 == 0)
			known_forget(k, c.hash);
	}
	atomic_store(&stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(reader[i], NULL);
}

static void
many_more_than_fit_are_kept_as_far_as_they_fit(void **state)
{
	uint64_t i, n = 0;

	(void)state;
	for (i = 0; i < CELLS * 2; i++)
		keep(i * 0x9e3779b97f4a7c15, 100 + (int64_t)i);
	known_trust(k, INT64_C(1) << 40);
	for (i = 0; i < CELLS * 2; i++)
		n += is_found(i * 0x9e3779b97f4a7c15, INT64_C(1) << 40);
	assert_in_range(n, CELLS * 9 / 10, CELLS);
}

/* --- settings --------------------------------------------------------------- */

static struct settings *
settings_of(const struct uuid *organization)
{
	struct known_settings s;

	return known_settings_find(k, organization, 100, &s)
		   ? settings_get(k, &s)
		   : NULL;
}

static void
settings_are_read_once_per_version(void **state)
{
	struct uuid id = {{1, 2, 3}};
	struct settings *one, *two, *three;
	static const char text[] = "{\"a\": 1}", other[] = "{\"a\": 22}";

	(void)state;
	assert_null(settings_of(&id));
	known_settings_put(
	    k, known_epoch(k), &id, 0, text, sizeof(text) - 1, 100);
	one = settings_of(&id);
	two = settings_of(&id);
	assert_ptr_equal(one, two);
	assert_int_equal(json_get(settings_json(one), "a")->integer, 1);
	known_settings_put(
	    k, known_epoch(k), &id, 0, other, sizeof(other) - 1, 100);
	three = settings_of(&id);
	assert_ptr_not_equal(one, three);
	assert_int_equal(json_get(settings_json(three), "a")->integer, 22);
	/* Who has the old ones still has them. */
	assert_int_equal(json_get(settings_json(one), "a")->integer, 1);
	known_settings_forget(k, &id);
	assert_null(settings_of(&id));
	settings_release(one);
	settings_release(two);
	settings_release(three);
}

static void
the_ring_forgets_the_oldest_and_never_mixes(void **state)
{
	static char text[KNOWN_SETTINGS_MAX + 1], out[KNOWN_SETTINGS_MAX];
	struct known_settings s;
	struct uuid id;
	unsigned i, n, kept = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		memset(&id, (int)i, sizeof(id));
		memset(text, (int)i, sizeof(text));
		known_settings_put(k, known_epoch(k), &id, 0, text,
		    KNOWN_SETTINGS_MAX - i % 8, 100);
	}
	known_settings_put(
	    k, known_epoch(k), &id, 0, text, sizeof(text), 100); /* too long */
	for (i = 0; i < 200; i++) {
		memset(&id, (int)i, sizeof(id));
		if (!known_settings_find(k, &id, 100, &s) ||
		    !known_settings_text(k, &s, out))
			continue;
		kept++;
		assert_int_equal(s.len, KNOWN_SETTINGS_MAX - i % 8);
		for (n = 0; n < s.len; n++)
			assert_int_equal((unsigned char)out[n], i);
	}
	assert_in_range(kept, SETTINGS_RING / KNOWN_SETTINGS_MAX - 1,
	    SETTINGS_RING / KNOWN_SETTINGS_MAX + 1);
}

static void
running_out_of_memory_gives_no_settings(void **state)
{
	struct uuid id = {{4}};
	struct settings *s = NULL;
	long budget;

	(void)state;
	known_settings_put(k, known_epoch(k), &id, 0, "{\"a\": [1]}", 10, 100);
	for (budget = 0; s == NULL; budget++) {
		mem_fail_after(budget);
		s = settings_of(&id);
		mem_fail_after(-1);
	}
	assert_true(budget > 1);
	settings_release(s);
	assert_null(settings_read("{", 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_kept_is_found_for_so_long),
	    TEST(a_sign_of_life_makes_it_true_for_longer),
	    TEST(what_is_forgotten_is_gone_and_nothing_else),
	    TEST(an_answer_that_was_overtaken_is_not_kept),
	    TEST(without_a_cache_nothing_is_kept),
	    TEST(a_full_bucket_gives_up_what_was_not_used_for_longest),
	    TEST(use_is_noted_once_an_interval),
	    TEST(a_session_can_live_longer),
	    TEST(a_writer_that_dies_costs_one_credential),
	    TEST(a_writer_of_settings_that_dies_costs_one_organization),
	    TEST(readers_never_see_half_a_credential),
	    TEST(many_more_than_fit_are_kept_as_far_as_they_fit),
	    TEST(settings_are_read_once_per_version),
	    TEST(the_ring_forgets_the_oldest_and_never_mixes),
	    TEST(running_out_of_memory_gives_no_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
