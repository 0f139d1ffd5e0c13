/* Blocks of the region: they are owned, contiguous, found again by tag. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec/bits.h"
#include "exec/shm.h"

static int
setup(void **state)
{
	static struct shm shm;
	size_t tables[] = {100, 5000};
	struct err e = {0};

	assert_int_equal(shm_create(&shm, 1u << 20, tables, 2, &e), 0);
	*state = &shm;
	return 0;
}

static int
teardown(void **state)
{
	shm_destroy(*state);
	return 0;
}

static void
tables_are_apart_and_zero(void **state)
{
	struct shm *s = *state;
	char *first = shm_table(s, 0);
	char *second = shm_table(s, 1);

	assert_true(second - first >= 100);
	assert_true((char *)(void *)s->tags - second >= 5000);
	assert_int_equal((uintptr_t)second % 64, 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(second[i], 0);
}

static void
another_layout_version_is_refused(void **state)
{
	struct shm *s = *state;
	struct err e = {0};

	assert_int_equal(shm_check(s, &e), 0);
	s->head->version++;
	assert_int_equal(shm_check(s, &e), -1);
	assert_string_equal(e.code, "shared_memory_version");
	s->head->version--;
}

static void
a_region_too_small_is_refused(void **state)
{
	size_t tables[] = {1u << 20};
	struct shm s;
	struct err e = {0};

	(void)state;
	assert_int_equal(shm_create(&s, 1u << 20, tables, 1, &e), -1);
	assert_string_equal(e.code, "shared_memory");
}

static void
all_blocks_can_be_had_and_given_back(void **state)
{
	struct shm *s = *state;
	uint32_t total = shm_count(s);
	uint32_t n = 0;

	while (shm_alloc(s, 1, 7) != SHM_NONE)
		n++;
	assert_int_equal(n, total);
	assert_int_equal(shm_count(s), 0);
	assert_int_equal(shm_free_estimate(s), 0);
	assert_int_equal(shm_sweep(s, 7), total);
	assert_int_equal(shm_count(s), total);
	assert_int_equal(shm_free_estimate(s), (size_t)total * SHM_BLOCK);
}

static void
ranges_are_adjacent_and_found_between_others(void **state)
{
	struct shm *s = *state;
	uint32_t a = shm_alloc(s, 3, 1);
	uint32_t b = shm_alloc(s, 5, 2);
	uint32_t c = shm_alloc(s, 1, 3);

	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(s->tags[b + i], 2);
	shm_free(s, b, 5, 2);
	assert_int_equal(shm_alloc(s, 4, 4), b);
	assert_int_equal(shm_alloc(s, 2, 5), c + 1);
	assert_int_equal(shm_alloc(s, 1, 6), b + 4);
	assert_int_equal(s->tags[a], 1);
	assert_int_equal(shm_alloc(s, s->head->block_count, 9), SHM_NONE);
	for (uint32_t tag = 1; tag < 9; tag++)
		shm_sweep(s, tag);
	assert_int_equal(shm_count(s), s->head->block_count);
}

static void
blocks_with_another_tag_are_not_freed(void **state)
{
	struct shm *s = *state;
	uint32_t a = shm_alloc(s, 2, 1);

	shm_free(s, a, 2, 2);
	assert_int_equal(s->tags[a], 1);
	shm_free(s, a, 2, 1);
	shm_free(s, a, 2, 1);
	assert_int_equal(
	    shm_free_estimate(s), (size_t)s->head->block_count * SHM_BLOCK);
}

static void *
churn(void *arg)
{
	struct shm *s = arg;
	static _Atomic uint32_t tags;
	uint32_t tag = atomic_fetch_add(&tags, 1) + 1;

	for (unsigned i = 0; i < 20000; i++) {
		uint32_t n = 1 + i % 7;
		uint32_t at = shm_alloc(s, n, tag);

		if (at == SHM_NONE)
			continue;
		for (uint32_t k = 0; k < n; k++) {
			uint32_t *word = shm_at(s, shm_block_offset(s, at + k));

			*word = tag;
		}
		for (uint32_t k = 0; k < n; k++) {
			uint32_t *word = shm_at(s, shm_block_offset(s, at + k));

			if (*word != tag)
				return s; /* a block had two owners */
		}
		shm_free(s, at, n, tag);
	}
	return NULL;
}

static void
threads_never_share_a_block(void **state)
{
	struct shm *s = *state;
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, s);
	for (int i = 0; i < 4; i++) {
		void *fault;

		pthread_join(threads[i], &fault);
		assert_null(fault);
	}
	assert_int_equal(shm_count(s), s->head->block_count);
	assert_int_equal(
	    shm_free_estimate(s), (size_t)s->head->block_count * SHM_BLOCK);
}

static void
what_a_killed_process_took_is_found_by_its_tag(void **state)
{
	struct shm *s = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			if (shm_alloc(s, 2, 42) == SHM_NONE)
				shm_sweep(s, 42);
	}
	usleep(2000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	shm_sweep(s, 42);
	assert_int_equal(shm_count(s), s->head->block_count);
	shm_count(s);
	assert_int_equal(
	    shm_free_estimate(s), (size_t)s->head->block_count * SHM_BLOCK);
}

static void
a_set_gives_what_was_added_once(void **state)
{
	struct bits *b = calloc(1, bits_size(5000));
	uint32_t numbers[] = {0, 63, 64, 4095, 4096, 4999};
	uint32_t first, found = 0;
	uint64_t mask;

	(void)state;
	bits_create(b, 5000);
	assert_false(bits_any(b));
	for (unsigned i = 0; i < 6; i++) {
		bits_add(b, numbers[i]);
		bits_add(b, numbers[i]);
	}
	assert_true(bits_any(b));
	while ((mask = bits_take(b, &first)) != 0)
		for (; mask != 0; mask &= mask - 1)
			assert_int_equal(
			    first + (uint32_t)__builtin_ctzll(mask),
			    numbers[found++]);
	assert_int_equal(found, 6);
	assert_false(bits_any(b));
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_apart_and_zero),
	    cmocka_unit_test(another_layout_version_is_refused),
	    cmocka_unit_test(a_region_too_small_is_refused),
	    cmocka_unit_test(all_blocks_can_be_had_and_given_back),
	    cmocka_unit_test(ranges_are_adjacent_and_found_between_others),
	    cmocka_unit_test(blocks_with_another_tag_are_not_freed),
	    cmocka_unit_test(threads_never_share_a_block),
	    cmocka_unit_test(what_a_killed_process_took_is_found_by_its_tag),
	    cmocka_unit_test(a_set_gives_what_was_added_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
