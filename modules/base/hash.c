/* hash.c - SipHash-1-3 (Aumasson, Bernstein), CRC-32C by slices of eight. */
#include "base/hash.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static struct hash_key process_key;
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;

static void
make_process_key(void)
{
	ssize_t n;

	do {
		n = getrandom(&process_key, sizeof(process_key), 0);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(process_key))
		abort();
}

struct hash_key
hash_process_key(void)
{
	pthread_once(&process_key_once, make_process_key);
	return process_key;
}

static uint64_t
rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

uint64_t
hash_sip(struct hash_key key, const void *data, size_t len)
{
	uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575u,
	    key.k1 ^ 0x646f72616e646f6du, key.k0 ^ 0x6c7967656e657261u,
	    key.k1 ^ 0x7465646279746573u};
	const unsigned char *p = data;
	uint64_t last = (uint64_t)len << 56, word;
	size_t rest = len & 7;

	for (size_t i = 0; i + 8 <= len; i += 8) {
		memcpy(&word, p + i, 8);
		sip_word(v, word);
	}
	for (size_t i = 0; i < rest; i++)
		last |= (uint64_t)p[len - rest + i] << (8 * i);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void
make_crc_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
		crc_table[0][i] = c;
	}
	for (int s = 1; s < 8; s++)
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = crc_table[s - 1][i];

			crc_table[s][i] = c >> 8 ^ crc_table[0][c & 0xff];
		}
}

uint32_t
hash_crc32c(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;

	pthread_once(&crc_once, make_crc_table);
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		w ^= crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= crc_table[7 - i][w >> (8 * i) & 0xff];
	}
	for (; len > 0; len--, p++)
		crc = crc >> 8 ^ crc_table[0][(crc ^ *p) & 0xff];
	return ~crc;
}
