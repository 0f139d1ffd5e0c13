/* test_base.c - memory, buffers, errors, ids, time, UTF-8, hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/uuid.h"

/* mem --------------------------------------------------------------------- */

static void
memory_is_zeroed_and_aligned(void **state)
{
	struct mem m;

	(void)state;
	mem_create(&m, 0);
	for (size_t size = 0; size < 5000; size += 37) {
		unsigned char *p = mem_alloc(&m, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	mem_reset(&m);
	for (int i = 0; i < 100; i++) {
		unsigned char *p = mem_alloc(&m, 100);

		assert_int_equal(p[0] | p[99], 0);
		memset(p, 0xff, 100);
	}
	mem_destroy(&m);
}

static void
memory_beyond_the_limit_fails_and_stays_failed(void **state)
{
	struct mem m;

	(void)state;
	mem_create(&m, 1000);
	assert_non_null(mem_alloc(&m, 900));
	assert_null(mem_alloc(&m, 200));
	assert_true(mem_failed(&m));
	assert_null(mem_alloc(&m, 1));
	assert_null(mem_strdup(&m, "x"));
	assert_null(mem_printf(&m, "%d", 1));
	mem_reset(&m);
	assert_false(mem_failed(&m));
	assert_non_null(mem_alloc(&m, 900));
	mem_destroy(&m);
}

static void
memory_refuses_sizes_that_overflow(void **state)
{
	struct mem m;

	(void)state;
	mem_create(&m, 0);
	assert_null(mem_array(&m, SIZE_MAX / 2, 3));
	mem_reset(&m);
	assert_null(mem_alloc(&m, SIZE_MAX - 3));
	mem_reset(&m);
	assert_null(mem_strndup(&m, "x", SIZE_MAX));
	mem_destroy(&m);
}

static void
large_blocks_leave_the_small_one_in_use(void **state)
{
	struct mem m;
	char *a, *b;

	(void)state;
	mem_create(&m, 0);
	a = mem_alloc(&m, 16);
	memset(mem_alloc(&m, 3 << 20), 1, 3 << 20);
	b = mem_alloc(&m, 16);
	assert_ptr_equal(b, a + 16);
	mem_reset(&m);
	assert_int_equal(m.used, 0);
	mem_destroy(&m);
}

static void
strings_are_copied_and_printed(void **state)
{
	struct mem m;

	(void)state;
	mem_create(&m, 0);
	assert_string_equal(mem_strdup(&m, "abc"), "abc");
	assert_string_equal(mem_strndup(&m, "abc", 2), "ab");
	assert_string_equal(mem_printf(&m, "%s-%d", "x", 7), "x-7");
	mem_destroy(&m);
}

static void
allocations_fail_when_a_test_says_so(void **state)
{
	struct mem m;
	struct buf b;

	(void)state;
	mem_create(&m, 0);
	mem_fail_after(0);
	assert_null(mem_alloc(&m, 1));
	assert_null(mem_heap(1));
	assert_null(mem_heap_grow(NULL, 1));
	buf_create(&b, 0);
	buf_puts(&b, "x");
	assert_true(buf_failed(&b));
	mem_fail_after(-1);
	buf_puts(&b, "x");
	assert_true(buf_failed(&b));
	assert_null(buf_take(&b, NULL));
	mem_destroy(&m);
}

/* buf --------------------------------------------------------------------- */

static void
buffers_append_and_hand_over(void **state)
{
	struct buf b;
	size_t len;
	char *s;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "a");
	buf_putc(&b, 'b');
	buf_put(&b, "c\0d", 3);
	buf_printf(&b, "%05d", 42);
	buf_u64(&b, 0);
	buf_u64(&b, UINT64_MAX);
	s = buf_take(&b, &len);
	assert_int_equal(len, 31);
	assert_memory_equal(s, "abc\0d00042018446744073709551615", 32);
	free(s);
	s = buf_take(&b, &len);
	assert_string_equal(s, "");
	assert_int_equal(len, 0);
	free(s);
}

static void
buffers_stop_at_their_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_create(&b, 5);
	buf_puts(&b, "12345");
	assert_false(buf_failed(&b));
	buf_putc(&b, '6');
	assert_true(buf_failed(&b));
	buf_puts(&b, "");
	assert_true(buf_failed(&b));
	assert_string_equal(b.data, "12345");
	buf_reset(&b);
	buf_puts(&b, "x");
	assert_false(buf_failed(&b));
	assert_string_equal(b.data, "x");
	buf_free(&b);
}

/* err --------------------------------------------------------------------- */

static void
errors_are_cut_at_a_character(void **state)
{
	char text[2 * ERR_MESSAGE_MAX];
	struct err e;

	(void)state;
	text[0] = 'x';
	for (size_t i = 1; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	assert_int_equal(err_set(&e, "code", "%s", text), -1);
	assert_int_equal(strlen(e.message), ERR_MESSAGE_MAX - 1);
	assert_int_equal(
	    utf8_valid(e.message, strlen(e.message)), strlen(e.message));
	assert_int_equal(err_set(&e, "code", "x%s", text), -1);
	assert_int_equal(strlen(e.message), ERR_MESSAGE_MAX - 2);
	assert_int_equal(err_set(NULL, "code", "%d", 1), -1);
	assert_int_equal(err_memory(&e), -1);
	assert_string_equal(e.code, "out_of_memory");
	err_clear(&e);
	assert_null(e.code);
}

/* utf8 -------------------------------------------------------------------- */

static void
utf8_is_told_from_what_looks_like_it(void **state)
{
	static const struct {
		const char *text;
		size_t valid;
	} cases[] = {
	    {"plain ascii, more than eight", 28}, {"a\xc3\xa9", 3},
	    {"\xe2\x82\xac", 3}, {"\xf0\x9f\x98\x80", 4}, {"\xef\xbf\xbf", 3},
	    {"\xf4\x8f\xbf\xbf", 4}, {"ab\xc0\x80", 2}, /* overlong NUL */
	    {"\xe0\x80\xaf", 0},			/* overlong slash */
	    {"\xf0\x80\x80\xaf", 0},			/* overlong slash */
	    {"\xed\xa0\x80", 0},			/* surrogate */
	    {"\xf4\x90\x80\x80", 0},			/* beyond U+10FFFF */
	    {"\x80", 0},				/* tail alone */
	    {"12345678\xff", 8},			/* no byte of UTF-8 */
	    {"12345678901\xe2\x82", 11},		/* cut */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    utf8_valid(cases[i].text, strlen(cases[i].text)),
		    cases[i].valid);
}

static void
utf8_decodes_what_it_encodes(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x3000 ? 1 : 97) {
		char bytes[4];
		size_t n, w;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		n = utf8_encode(c, bytes);
		assert_int_equal(utf8_width(bytes, n), n);
		assert_int_equal(utf8_decode(bytes, &w), c);
		assert_int_equal(w, n);
		if (n > 1)
			assert_int_equal(utf8_width(bytes, n - 1), 0);
	}
}

/* uuid -------------------------------------------------------------------- */

static void
ids_ascend_and_carry_version_and_time(void **state)
{
	struct uuid last = uuid_v7();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct uuid id = uuid_v7();
		int64_t ms = 0;

		assert_true(memcmp(id.bytes, last.bytes, 8) > 0);
		assert_int_equal(id.bytes[6] >> 4, 7);
		assert_int_equal(id.bytes[8] >> 6, 2);
		for (int k = 0; k < 6; k++)
			ms = ms << 8 | id.bytes[k];
		assert_in_range(ms, clock_real_us() / 1000 - 60000,
		    clock_real_us() / 1000 + 60000);
		last = id;
	}
}

static void
node_execution_ids_lead_back(void **state)
{
	struct uuid execution = uuid_execution(), id, back;
	uint32_t nodes[] = {0, 1, 255, 99999, UINT32_MAX - 1}, node;

	(void)state;
	assert_false(uuid_node_execution_split(&execution, &back, &node));
	for (size_t i = 0; i < 5; i++) {
		id = uuid_node_execution(&execution, nodes[i]);
		assert_false(uuid_equal(&id, &execution));
		assert_true(uuid_node_execution_split(&id, &back, &node));
		assert_true(uuid_equal(&back, &execution));
		assert_int_equal(node, nodes[i]);
	}
}

static void
ids_are_read_in_their_only_form(void **state)
{
	static const char *const bad[] = {"", "x",
	    "018f0000-0000-7000-8000-00000000000",
	    "018f0000-0000-7000-8000-0000000000000",
	    "018f0000000070008000000000000000abcd",
	    "018f0000-0000-7000-8000-00000000000g",
	    "{18f0000-0000-7000-8000-00000000000}",
	    "018f0000 0000 7000 8000 000000000000"};
	char text[UUID_TEXT];
	struct uuid id, again;

	(void)state;
	assert_true(
	    uuid_parse("018F0000-aBcD-7000-8000-0123456789ab", 36, &id));
	uuid_format(&id, text);
	assert_string_equal(text, "018f0000-abcd-7000-8000-0123456789ab");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(uuid_parse(bad[i], strlen(bad[i]), &again));
	id = uuid_v7();
	uuid_format(&id, text);
	assert_true(uuid_parse(text, 36, &again));
	assert_true(uuid_equal(&id, &again));
	assert_false(uuid_is_zero(&id));
	memset(&id, 0, sizeof(id));
	assert_true(uuid_is_zero(&id));
}

/* clock ------------------------------------------------------------------- */

static void
durations_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} good[] = {
	    {"0s", 0},
	    {"250ms", 250000000},
	    {"5s", 5000000000},
	    {"2m", 120000000000},
	    {"1h", 3600000000000},
	    {"1d", 86400000000000},
	    {"1.5s", 1500000000},
	    {"0.000001ms", 1},
	    {"0.25h", 900000000000},
	    {"3650d", 315360000000000000},
	    {"007ms", 7000000},
	};
	static const char *const bad[] = {"", "5", "s", "5 s", " 5s", "5s ",
	    "-5s", "+5s", "5S", "5sec", "1.s", ".5s", "1e3s", "3651d",
	    "3650.1d", "99999999999999999999s", "1.0000000001s", "5us",
	    "1h30m"};
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(
		    duration_parse(good[i].text, strlen(good[i].text), &ns));
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(duration_parse(bad[i], strlen(bad[i]), &ns));
}

static void
durations_have_one_form_that_reads_back(void **state)
{
	static const struct {
		const char *text, *one;
	} cases[] = {{"0ms", "0s"}, {"60s", "1m"}, {"24h", "1d"},
	    {"36h", "36h"}, {"1.5s", "1500ms"}, {"1000ms", "1s"},
	    {"0.5ms", "0.5ms"}, {"0.000001ms", "0.000001ms"},
	    {"1.0005s", "1000.5ms"}, {"3650d", "3650d"}};
	char text[DURATION_TEXT];
	int64_t ns, again;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(
		    duration_parse(cases[i].text, strlen(cases[i].text), &ns));
		duration_format(ns, text, sizeof(text));
		assert_string_equal(text, cases[i].one);
	}
	srand(1);
	for (int i = 0; i < 20000; i++) {
		ns = (int64_t)rand() * (i % 3 == 0 ? 1 : 1000000);
		duration_format(ns, text, sizeof(text));
		assert_true(duration_parse(text, strlen(text), &again));
		assert_int_equal(ns, again);
	}
}

static void
times_are_written_in_utc(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	time_format(INT64_C(1795446033123456), text);
	assert_string_equal(text, "2026-11-23T15:00:33.123456Z");
	time_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
	time_format(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
	assert_true(clock_mono_ns() > 0);
}

/* hash -------------------------------------------------------------------- */

static void
crc32c_gives_the_known_values(void **state)
{
	char zeros[32] = {0};
	uint32_t crc;

	(void)state;
	assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(hash_crc32c(0, zeros, 32), 0x8a9136aau);
	crc = hash_crc32c(0, "1234", 4);
	assert_int_equal(hash_crc32c(crc, "56789", 5), 0xe3069283u);
	assert_int_equal(hash_crc32c(0, "", 0), 0);
}

static void
sip_hash_depends_on_key_and_every_byte(void **state)
{
	struct hash_key key = {1, 2}, other = {1, 3};
	char text[40] = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		uint64_t h = hash_sip(key, text, len);

		assert_true(h != hash_sip(other, text, len));
		assert_true(len == 0 || h != hash_sip(key, text, len - 1));
		for (size_t i = 0; i < len; i++) {
			text[i] = 1;
			assert_true(h != hash_sip(key, text, len));
			text[i] = 0;
		}
	}
	assert_true(hash_process_key().k0 == hash_process_key().k0);
}

/* --- guard --- */

/* Whether the mapping of p has a flag in /proc/self/smaps. */
static bool
has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[1024];
	bool inside = false, found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = (uintptr_t)p >= from && (uintptr_t)p < to;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(f);
	return found;
}

static void
guarded_memory_is_in_no_core_dump_and_no_child(void **state)
{
	struct mem m;
	char *p;

	(void)state;
	mem_create(&m, 0);
	mem_guard(&m);
	p = mem_strdup(&m, "secret");
	assert_non_null(mem_alloc(&m, 3u << 20));
	assert_string_equal(p, "secret");
	assert_true(has_flag(p, " dd"));
	assert_true(has_flag(p, " dc"));
	mem_reset(&m);
	assert_null(m.head);
	assert_non_null(mem_alloc(&m, 10));
	mem_fail_after(0);
	assert_null(mem_alloc(&m, 1u << 20));
	mem_fail_after(-1);
	mem_destroy(&m);
}

static void
a_wiped_buffer_grows_like_any_other(void **state)
{
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	b.wipe = true;
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "0123456789");
	assert_int_equal(b.len, 10000);
	assert_memory_equal(b.data + 9990, "0123456789", 11);
	mem_fail_after(0);
	for (int i = 0; i < 1000; i++)
		buf_puts(&b, "0123456789");
	mem_fail_after(-1);
	assert_true(buf_failed(&b));
	buf_free(&b);
	assert_true(b.wipe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(guarded_memory_is_in_no_core_dump_and_no_child),
	    cmocka_unit_test(a_wiped_buffer_grows_like_any_other),
	    cmocka_unit_test(memory_is_zeroed_and_aligned),
	    cmocka_unit_test(memory_beyond_the_limit_fails_and_stays_failed),
	    cmocka_unit_test(memory_refuses_sizes_that_overflow),
	    cmocka_unit_test(large_blocks_leave_the_small_one_in_use),
	    cmocka_unit_test(strings_are_copied_and_printed),
	    cmocka_unit_test(allocations_fail_when_a_test_says_so),
	    cmocka_unit_test(buffers_append_and_hand_over),
	    cmocka_unit_test(buffers_stop_at_their_limit),
	    cmocka_unit_test(errors_are_cut_at_a_character),
	    cmocka_unit_test(utf8_is_told_from_what_looks_like_it),
	    cmocka_unit_test(utf8_decodes_what_it_encodes),
	    cmocka_unit_test(ids_ascend_and_carry_version_and_time),
	    cmocka_unit_test(node_execution_ids_lead_back),
	    cmocka_unit_test(ids_are_read_in_their_only_form),
	    cmocka_unit_test(durations_are_read),
	    cmocka_unit_test(durations_have_one_form_that_reads_back),
	    cmocka_unit_test(times_are_written_in_utc),
	    cmocka_unit_test(crc32c_gives_the_known_values),
	    cmocka_unit_test(sip_hash_depends_on_key_and_every_byte),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
