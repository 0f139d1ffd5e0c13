/* lua_arena.c - small blocks come from one region by size class, large ones are
 * mappings of their own.
 *
 * Lua tells the size of a block when it frees it, so blocks have no headers.
 * Classes: every 16 bytes to 512, then four to each doubling up to 64 KiB. */
#include "exec/lua_arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/guard.h"

#define GRAIN	  16u
#define FINE_MAX  512u
#define FINE	  (FINE_MAX / GRAIN)
#define SMALL_MAX (64u << 10)
#define KEEP	  (1u << 20) /* stays mapped between states */
#define PAGE	  4096u

struct lua_arena_free {
	struct lua_arena_free *next;
};

struct lua_arena_big {
	struct lua_arena_big *next, **link;
	size_t mapped;
	size_t reserved; /* keeps the block aligned to 16 */
};

_Static_assert(sizeof(struct lua_arena_big) % GRAIN == 0, "alignment");

bool
lua_arena_create(struct lua_arena *a, size_t limit)
{
	memset(a, 0, sizeof(*a));
	a->limit = limit;
	a->size = (2 * limit + KEEP) & ~(size_t)(PAGE - 1);
	a->base = mmap(NULL, a->size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return a->base != MAP_FAILED;
}

void
lua_arena_reset(struct lua_arena *a)
{
	while (a->bigs != NULL) {
		struct lua_arena_big *b = a->bigs;

		a->bigs = b->next;
		munmap(b, b->mapped);
	}
	if (a->bump > KEEP)
		madvise(a->base + KEEP, a->bump - KEEP, MADV_DONTNEED);
	a->bump = 0;
	a->in_use = 0;
	memset(a->classes, 0, sizeof(a->classes));
}

/* Mappings of their own go back to the kernel, which zeroes them. */
void
lua_arena_wipe(struct lua_arena *a)
{
	guard_wipe(a->base, a->bump < KEEP ? a->bump : KEEP);
	lua_arena_reset(a);
}

void
lua_arena_destroy(struct lua_arena *a)
{
	lua_arena_reset(a);
	munmap(a->base, a->size);
}

/* n from 1 to SMALL_MAX. */
static unsigned
class_of(size_t n)
{
	unsigned log, quarter;

	if (n <= FINE_MAX)
		return (unsigned)((n + GRAIN - 1) / GRAIN) - 1;
	log = 63u - (unsigned)__builtin_clzll(n - 1); /* 9..15 */
	quarter = (unsigned)((n - 1) >> (log - 2)) & 3;
	return FINE + (log - 9) * 4 + quarter;
}

static size_t
class_size(unsigned c)
{
	unsigned log;

	if (c < FINE)
		return (c + 1) * GRAIN;
	log = 9 + (c - FINE) / 4;
	return ((size_t)1 << log) + (((c - FINE) % 4 + 1) << (log - 2));
}

/* Bytes that a block of this size takes from the budget. */
static size_t
charge(size_t n)
{
	return n <= SMALL_MAX ? class_size(class_of(n)) : n;
}

static void
give_back(struct lua_arena *a, void *p, unsigned c)
{
	struct lua_arena_free *f = p;

	f->next = a->classes[c];
	a->classes[c] = f;
}

/* The region is used up: cut the block from a larger free one. */
static void *
cut_larger(struct lua_arena *a, unsigned c)
{
	size_t want = class_size(c);

	for (unsigned i = c + 1; i < LUA_ARENA_CLASSES; i++) {
		struct lua_arena_free *f = a->classes[i];
		size_t rest;
		char *tail;

		if (f == NULL)
			continue;
		a->classes[i] = f->next;
		tail = (char *)f + want;
		for (rest = class_size(i) - want; rest >= GRAIN;) {
			unsigned r = class_of(rest);

			if (r > 0 && class_size(r) > rest)
				r--;
			give_back(a, tail, r);
			tail += class_size(r);
			rest -= class_size(r);
		}
		return f;
	}
	return NULL;
}

static void *
small_alloc(struct lua_arena *a, size_t n)
{
	unsigned c = class_of(n);
	struct lua_arena_free *f = a->classes[c];
	void *p;

	if (f != NULL) {
		a->classes[c] = f->next;
		return f;
	}
	if (a->size - a->bump < class_size(c))
		return cut_larger(a, c);
	p = a->base + a->bump;
	a->bump += class_size(c);
	return p;
}

static size_t
big_bytes(size_t n)
{
	return (n + sizeof(struct lua_arena_big) + PAGE - 1) &
	       ~(size_t)(PAGE - 1);
}

static void *
big_link(struct lua_arena *a, struct lua_arena_big *b, size_t mapped)
{
	b->mapped = mapped;
	b->next = a->bigs;
	b->link = &a->bigs;
	if (b->next != NULL)
		b->next->link = &b->next;
	a->bigs = b;
	return b + 1;
}

static void
big_unlink(struct lua_arena_big *b)
{
	*b->link = b->next;
	if (b->next != NULL)
		b->next->link = b->link;
}

static void *
big_alloc(struct lua_arena *a, size_t n)
{
	struct lua_arena_big *b = mmap(NULL, big_bytes(n),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return b == MAP_FAILED ? NULL : big_link(a, b, big_bytes(n));
}

static void
big_free(void *p)
{
	struct lua_arena_big *b = (struct lua_arena_big *)p - 1;

	big_unlink(b);
	munmap(b, b->mapped);
}

static void *
big_resize(struct lua_arena *a, void *p, size_t n)
{
	struct lua_arena_big *b = (struct lua_arena_big *)p - 1, *moved;
	size_t old = b->mapped;

	big_unlink(b);
	moved = mremap(b, old, big_bytes(n), MREMAP_MAYMOVE);
	if (moved == MAP_FAILED) {
		big_link(a, b, old);
		return NULL;
	}
	return big_link(a, moved, big_bytes(n));
}

static void *
alloc(struct lua_arena *a, size_t n)
{
	return n <= SMALL_MAX ? small_alloc(a, n) : big_alloc(a, n);
}

static void
release(struct lua_arena *a, void *p, size_t n)
{
	if (n > SMALL_MAX)
		big_free(p);
	else
		give_back(a, p, class_of(n));
}

static void *
resize(struct lua_arena *a, void *p, size_t old, size_t n)
{
	void *q;

	if (old <= SMALL_MAX && n <= SMALL_MAX && class_of(old) == class_of(n))
		return p;
	if (old > SMALL_MAX && n > SMALL_MAX) {
		q = big_resize(a, p, n);
		return q == NULL && n <= old ? p : q;
	}
	q = alloc(a, n);
	/* No room to shrink: the block stays where it is and counts as a
	 * smaller one from now on. */
	if (q == NULL)
		return n <= old ? p : NULL;
	memcpy(q, p, old < n ? old : n);
	release(a, p, old);
	return q;
}

void *
lua_arena_realloc(struct lua_arena *a, void *p, size_t old_size, size_t size)
{
	size_t old = p != NULL && old_size > 0 ? charge(old_size) : 0;
	size_t want;
	void *q;

	if (size == 0) {
		if (old > 0)
			release(a, p, old_size);
		a->in_use -= old;
		return NULL;
	}
	want = charge(size);
	if (want > old &&
	    (want > a->limit || a->in_use - old > a->limit - want))
		return NULL;
	q = old > 0 ? resize(a, p, old_size, size) : alloc(a, size);
	if (q != NULL)
		a->in_use += want - old;
	return q;
}
