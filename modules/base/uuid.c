/* uuid.c - UUIDv7 from one monotonic stamp per process: milliseconds and a
 * counter that starts each millisecond at a random place. */
#include "base/hex.h"
#include "base/uuid.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

#define LAST_BYTES 12 /* where the last 32 bits start */

static _Atomic uint64_t last_stamp; /* ms << 12 | counter */

/* The kernel's generator never fails once it is seeded; without it no id could
 * be unique. */
static void
random_bytes(void *out, size_t len)
{
	ssize_t n;

	do {
		n = getrandom(out, len, 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)len)
		abort();
}

static uint64_t
next_stamp(unsigned random)
{
	uint64_t now = (uint64_t)(clock_real_us() / 1000) << 12;
	uint64_t last = atomic_load(&last_stamp), next;

	do {
		next = now > last ? now | (random & 0x7ff) : last + 1;
	} while (!atomic_compare_exchange_weak(&last_stamp, &last, next));
	return next;
}

struct uuid
uuid_v7(void)
{
	struct uuid id;
	uint8_t r[10];
	uint64_t stamp;

	random_bytes(r, sizeof(r));
	stamp = next_stamp((unsigned)r[8] << 8 | r[9]);
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(stamp >> (52 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | (stamp >> 8 & 0x0f));
	id.bytes[7] = (uint8_t)stamp;
	memcpy(id.bytes + 8, r, 8);
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

struct uuid
uuid_execution(void)
{
	struct uuid id = uuid_v7();

	memset(id.bytes + LAST_BYTES, 0, 4);
	return id;
}

struct uuid
uuid_node_execution(const struct uuid *execution, uint32_t node)
{
	struct uuid id = *execution;
	uint32_t n = node + 1;

	for (int i = 0; i < 4; i++)
		id.bytes[LAST_BYTES + i] = (uint8_t)(n >> (24 - 8 * i));
	return id;
}

bool
uuid_node_execution_split(
    const struct uuid *id, struct uuid *execution, uint32_t *node)
{
	uint32_t n = 0;

	for (int i = 0; i < 4; i++)
		n = n << 8 | id->bytes[LAST_BYTES + i];
	if (n == 0)
		return false;
	*execution = *id;
	memset(execution->bytes + LAST_BYTES, 0, 4);
	*node = n - 1;
	return true;
}

static bool
is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool
uuid_parse(const char *text, size_t len, struct uuid *out)
{
	size_t i = 0, n = 0;

	if (len != UUID_TEXT - 1)
		return false;
	while (i < len) {
		int high, low;

		if (is_dash_place(i)) {
			if (text[i++] != '-')
				return false;
			continue;
		}
		high = hex_digit(text[i]);
		low = hex_digit(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		out->bytes[n++] = (uint8_t)(high << 4 | low);
		i += 2;
	}
	return true;
}

void
uuid_format(const struct uuid *id, char text[UUID_TEXT])
{
	static const char hex[] = "0123456789abcdef";
	size_t i = 0;

	for (size_t n = 0; n < sizeof(id->bytes); n++) {
		if (is_dash_place(i))
			text[i++] = '-';
		text[i++] = hex[id->bytes[n] >> 4];
		text[i++] = hex[id->bytes[n] & 15];
	}
	text[i] = '\0';
}

bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool
uuid_is_zero(const struct uuid *id)
{
	static const struct uuid zero;

	return uuid_equal(id, &zero);
}
