/* seqlock.h - a few words that one writer at a time changes and any number of
 * readers copy without a lock: who reads while they change reads again.
 *
 * Source:   Boehm, "Can seqlocks get along with programming language memory
 *           models?" (MSPC 2012): the words are atomics, copied relaxed between
 *           an acquire and an acquire fence.
 * Memory:   may be shared between processes. All zero is a sound, empty cell.
 * Writers:  exclude each other by a lock of their own. One that dies in the
 *           middle leaves the count odd: readers then find nothing there, and
 *           whoever gets the lock next calls seqlock_torn and writes anew.
 */
#ifndef OPEN_BASE_SEQLOCK_H
#define OPEN_BASE_SEQLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEQLOCK_TRIES 64

/* Copies n words. False: they were changing all the time. */
static inline bool
seqlock_read(const _Atomic uint32_t *count, const _Atomic uint64_t *words,
    size_t n, uint64_t *out)
{
	for (int tries = 0; tries < SEQLOCK_TRIES; tries++) {
		uint32_t before =
		    atomic_load_explicit(count, memory_order_acquire);

		if (before & 1)
			continue;
		for (size_t i = 0; i < n; i++)
			out[i] = atomic_load_explicit(
			    &words[i], memory_order_relaxed);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(count, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

static inline bool
seqlock_torn(const _Atomic uint32_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed) & 1;
}

/* words NULL: all zero. */
static inline void
seqlock_write(_Atomic uint32_t *count, _Atomic uint64_t *words, size_t n,
    const uint64_t *in)
{
	uint32_t odd = atomic_load_explicit(count, memory_order_relaxed) | 1u;

	atomic_store_explicit(count, odd, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < n; i++)
		atomic_store_explicit(
		    &words[i], in == NULL ? 0 : in[i], memory_order_relaxed);
	atomic_store_explicit(count, odd + 1, memory_order_release);
}

#endif
