/* Heads of WebSocket's frames: what RFC 6455 allows is read, the rest refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/web/ws_frame.c"

static struct ws_head
head_of(const uint8_t *bytes, size_t size, bool *good)
{
	struct ws_head h;

	assert_int_equal(ws_head_size(bytes), size);
	*good = ws_head_read(bytes, &h);
	return h;
}

static void
heads_of_every_length_are_read(void **state)
{
	static const uint8_t small[] = {0x81, 0x85, 1, 2, 3, 4};
	static const uint8_t medium[] = {0x02, 0xfe, 0x01, 0x00, 9, 8, 7, 6};
	static const uint8_t large[] = {
	    0x80, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 5, 6, 7, 8};
	struct ws_head h;
	bool good;

	(void)state;
	h = head_of(small, 6, &good);
	assert_true(good && h.final && h.opcode == WS_TEXT && h.len == 5);
	assert_memory_equal(h.mask, small + 2, 4);
	h = head_of(medium, 8, &good);
	assert_true(good && !h.final && h.opcode == WS_BINARY);
	assert_int_equal(h.len, 256);
	assert_memory_equal(h.mask, medium + 4, 4);
	h = head_of(large, 14, &good);
	assert_true(good && h.opcode == WS_CONTINUATION);
	assert_int_equal(h.len, 65536);
	assert_int_equal(h.size, 14);
}

static void
what_breaks_the_protocol_is_refused(void **state)
{
	static const uint8_t bad[][2] = {
	    {0x81, 0x05},			      /* no mask */
	    {0xc1, 0x85}, {0xa1, 0x85}, {0x91, 0x85}, /* reserved bits */
	    {0x83, 0x85}, {0x87, 0x85}, {0x8b, 0x85}, {0x8f, 0x85},
	    {0x08, 0x80}, {0x09, 0x80}, {0x0a, 0x80}, /* in pieces */
	    {0x88, 0xfe}, {0x89, 0xff},		      /* long */
	};
	static const uint8_t padded[] = {0x81, 0xfe, 0, 125, 0, 0, 0, 0};
	static const uint8_t padded_more[] = {
	    0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
	static const uint8_t negative[] = {
	    0x81, 0xff, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
	bool good;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ws_head_size(bad[i]), 0);
	head_of(padded, 8, &good);
	assert_false(good);
	head_of(padded_more, 14, &good);
	assert_false(good);
	head_of(negative, 14, &good);
	assert_false(good);
}

static void
what_a_server_writes_is_as_short_as_can_be(void **state)
{
	static const size_t lengths[] = {0, 125, 126, 65535, 65536, 1u << 30};
	static const size_t sizes[] = {2, 2, 4, 4, 10, 10};
	uint8_t out[10], masked[14];
	struct ws_head h;
	bool good;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(
		    ws_head_write(WS_TEXT, lengths[i], out), sizes[i]);
		memset(masked, 0, sizeof(masked));
		memcpy(masked, out, sizes[i]);
		masked[1] |= 0x80;
		h = head_of(masked, sizes[i] + 4, &good);
		assert_true(good && h.final && h.len == lengths[i]);
	}
}

static void
a_mask_is_its_own_inverse(void **state)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t text[] = {0x7f, 0x9f, 0x4d, 0x51, 0x58};

	(void)state;
	ws_unmask(text, 5, mask); /* RFC 6455, section 5.7 */
	assert_memory_equal(text, "Hello", 5);
	ws_unmask(text, 5, mask);
	assert_int_equal(text[4], 0x58);
}

static void
codes_that_nobody_may_send_are_known(void **state)
{
	(void)state;
	assert_true(ws_code_valid(1000) && ws_code_valid(1011));
	assert_true(ws_code_valid(3000) && ws_code_valid(4999));
	assert_false(ws_code_valid(999) || ws_code_valid(1004));
	assert_false(ws_code_valid(1005) || ws_code_valid(1006));
	assert_false(ws_code_valid(1015) || ws_code_valid(2999));
	assert_false(ws_code_valid(5000) || ws_code_valid(0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads_of_every_length_are_read),
	    cmocka_unit_test(what_breaks_the_protocol_is_refused),
	    cmocka_unit_test(what_a_server_writes_is_as_short_as_can_be),
	    cmocka_unit_test(a_mask_is_its_own_inverse),
	    cmocka_unit_test(codes_that_nobody_may_send_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
