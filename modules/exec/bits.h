/* bits.h - a set of small numbers that many threads add to and one takes from:
 * "look at these slots". Two levels, so that an empty set costs one load.
 *
 * Adding twice is adding once, which is what makes hand-offs repeatable after
 * a crash. May lie in shared memory: it holds no pointers.
 */
#ifndef OPEN_EXEC_BITS_H
#define OPEN_EXEC_BITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
	uint32_t words, summaries;
	_Atomic uint64_t word[]; /* summaries first, then words */
};

static inline size_t
bits_size(uint32_t count)
{
	uint32_t words = (count + 63) / 64;

	return sizeof(struct bits) + 8 * ((size_t)words + (words + 63) / 64);
}

/* b: bits_size(count) zeroed bytes. */
static inline void
bits_create(struct bits *b, uint32_t count)
{
	b->words = (count + 63) / 64;
	b->summaries = (b->words + 63) / 64;
}

static inline void
bits_add(struct bits *b, uint32_t n)
{
	uint32_t w = n / 64;

	atomic_fetch_or(&b->word[b->summaries + w], 1ull << n % 64);
	atomic_fetch_or(&b->word[w / 64], 1ull << w % 64);
}

static inline bool
bits_any(const struct bits *b)
{
	for (uint32_t i = 0; i < b->summaries; i++)
		if (atomic_load(&b->word[i]) != 0)
			return true;
	return false;
}

/* Takes up to 64 neighbours: *first is the number of the mask's lowest bit.
 * 0: the set was empty. One taker at a time. */
static inline uint64_t
bits_take(struct bits *b, uint32_t *first)
{
	for (uint32_t i = 0; i < b->summaries; i++) {
		uint64_t summary;

		while ((summary = atomic_load(&b->word[i])) != 0) {
			uint32_t bit = (uint32_t)__builtin_ctzll(summary);
			uint32_t w = i * 64 + bit;
			uint64_t mask;

			atomic_fetch_and(&b->word[i], ~(1ull << bit));
			mask = atomic_exchange(&b->word[b->summaries + w], 0);
			*first = w * 64;
			if (mask != 0)
				return mask;
		}
	}
	return 0;
}

#endif
