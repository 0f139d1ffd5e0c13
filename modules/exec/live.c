/* live.c - rings of events in shared memory, and who wants to hear of what. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "exec/arena.h"

static_assert(sizeof(struct live_event) == 64, "copied by the word");

/* --- life ----------------------------------------------------------------- */

static int
no_memory(struct live *l, struct err *e)
{
	live_destroy(l);
	return err_set(e, "shared_memory",
	    "The system has no memory or descriptors for live events.");
}

int
live_create(struct live *l, unsigned arenas, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->rings = arenas;
	l->size = sizeof(*l->shared) + arenas * sizeof(struct live_ring);
	l->shared = mmap(NULL, l->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (l->shared == MAP_FAILED) {
		l->shared = NULL;
		return no_memory(l, e);
	}
	for (unsigned i = 0; i < LIVE_WORKERS; i++)
		l->shared->workers[i].fd = -1;
	for (unsigned i = 0; i < LIVE_WORKERS && i < arenas; i++) {
		int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

		if (fd < 0)
			return no_memory(l, e);
		l->shared->workers[i].fd = fd;
	}
	l->watching = calloc(LIVE_INTEREST, sizeof(*l->watching));
	l->read = calloc(arenas, sizeof(*l->read));
	return l->watching == NULL || l->read == NULL ? no_memory(l, e) : 0;
}

void
live_destroy(struct live *l)
{
	for (unsigned i = 0; l->shared != NULL && i < LIVE_WORKERS; i++)
		if (l->shared->workers[i].fd >= 0)
			close(l->shared->workers[i].fd);
	if (l->shared != NULL)
		munmap(l->shared, l->size);
	free(l->watching);
	free(l->read);
	memset(l, 0, sizeof(*l));
}

void
live_attach(struct live *l, unsigned worker)
{
	uint64_t bit = 1ull << worker;

	l->worker = worker;
	if (worker >= LIVE_WORKERS)
		return;
	for (uint32_t i = 0; i < LIVE_INTEREST; i++)
		if ((atomic_load_explicit(
			 &l->shared->interest[i], memory_order_relaxed) &
			bit) != 0)
			atomic_fetch_and(&l->shared->interest[i], ~bit);
	for (unsigned i = 0; i < l->rings; i++)
		l->read[i] = atomic_load(&l->shared->rings[i].count);
}

/* --- interest ------------------------------------------------------------- */

/* Ids are random below their time and end in zeros. */
static uint32_t
word_of(const struct uuid *execution)
{
	const uint8_t *b = execution->bytes;
	uint32_t n = (uint32_t)b[8] << 24 | (uint32_t)b[9] << 16 |
		     (uint32_t)b[10] << 8 | b[11];

	n ^= (uint32_t)b[4] << 24 | (uint32_t)b[5] << 16 | (uint32_t)b[6] << 8 |
	     b[7];
	return (n * 2654435761u) >> 16;
}

_Atomic uint64_t *
live_interest(struct live *l, const struct uuid *execution)
{
	return &l->shared->interest[word_of(execution)];
}

void
live_watch(struct exec *e, const struct uuid *execution)
{
	uint32_t i = word_of(execution);

	if (e->live.worker >= LIVE_WORKERS)
		return;
	if (e->live.watching[i]++ == 0)
		atomic_fetch_or(
		    &e->live.shared->interest[i], 1ull << e->live.worker);
	/* From here on the arena sees it, or we see what the arena did. */
	atomic_thread_fence(memory_order_seq_cst);
}

void
live_unwatch(struct exec *e, const struct uuid *execution)
{
	uint32_t i = word_of(execution);

	if (e->live.worker >= LIVE_WORKERS || e->live.watching[i] == 0)
		return;
	if (--e->live.watching[i] == 0)
		atomic_fetch_and(
		    &e->live.shared->interest[i], ~(1ull << e->live.worker));
}

bool
live_watched(struct exec *e, const struct uuid *execution)
{
	return e->live.watching[word_of(execution)] != 0;
}

/* --- writing -------------------------------------------------------------- */

void
live_publish(struct live *l, unsigned ring, struct live_event *event)
{
	struct live_ring *r = &l->shared->rings[ring];
	uint64_t n = atomic_load_explicit(&r->count, memory_order_relaxed);
	uint64_t words[LIVE_WORDS];
	_Atomic uint64_t *to = r->words[n % LIVE_RING];

	event->sequence = n + 1;
	memcpy(words, event, sizeof(words));
	atomic_store_explicit(&r->claimed, n + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < LIVE_WORDS; i++)
		atomic_store_explicit(&to[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&r->count, n + 1, memory_order_release);
}

void
live_wake(struct live *l, uint64_t workers)
{
	uint64_t one = 1;

	atomic_thread_fence(memory_order_seq_cst);
	for (; workers != 0; workers &= workers - 1) {
		unsigned i = (unsigned)__builtin_ctzll(workers);

		if (atomic_load(&l->shared->workers[i].asleep) == 0 ||
		    atomic_exchange(&l->shared->workers[i].asleep, 0) == 0)
			continue;
		while (write(l->shared->workers[i].fd, &one, sizeof(one)) < 0 &&
		       errno == EINTR)
			;
	}
}

/* --- reading -------------------------------------------------------------- */

int
live_fd(struct exec *e)
{
	return e->live.worker < LIVE_WORKERS
		   ? e->live.shared->workers[e->live.worker].fd
		   : -1;
}

/* False: it was overwritten before or meanwhile. */
static bool
ring_copy(const struct live_ring *r, uint64_t n, struct live_event *out)
{
	uint64_t words[LIVE_WORDS];
	const _Atomic uint64_t *from = r->words[n % LIVE_RING];

	for (size_t i = 0; i < LIVE_WORDS; i++)
		words[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&r->claimed, memory_order_relaxed) >
	    n + LIVE_RING)
		return false;
	memcpy(out, words, sizeof(words));
	return true;
}

static size_t
ring_read(struct live *l, unsigned ring, struct live_event *events, size_t max,
    bool *missed)
{
	const struct live_ring *r = &l->shared->rings[ring];
	uint64_t end = atomic_load_explicit(&r->count, memory_order_acquire);
	size_t n = 0;

	while (n < max && l->read[ring] < end) {
		if (ring_copy(r, l->read[ring], &events[n])) {
			l->read[ring]++;
			n++;
			continue;
		}
		*missed = true;
		end = atomic_load_explicit(&r->count, memory_order_acquire);
		l->read[ring] = end;
	}
	return n;
}

static size_t
rings_read(struct live *l, struct live_event *events, size_t max, bool *missed)
{
	size_t n = 0;

	for (unsigned i = 0; i < l->rings && n < max; i++) {
		n += ring_read(l, l->start, events + n, max - n, missed);
		l->start = l->start + 1 < l->rings ? l->start + 1 : 0;
	}
	return n;
}

size_t
live_read(struct exec *e, struct live_event *events, size_t max, bool *missed)
{
	struct live *l = &e->live;
	size_t n;

	*missed = false;
	if (l->worker >= LIVE_WORKERS)
		return 0;
	n = rings_read(l, events, max, missed);
	if (n == max)
		return n;
	/* What comes before this is read below, what comes after wakes us. */
	atomic_store(&l->shared->workers[l->worker].asleep, 1);
	atomic_thread_fence(memory_order_seq_cst);
	return n + rings_read(l, events + n, max - n, missed);
}
