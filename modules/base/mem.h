/* mem.h - bump allocator with one lifetime: boot, a request, an attempt of a
 * node.
 *
 * Owner:    whoever called mem_create.
 * Lifetime: everything dies together in mem_reset or mem_destroy; nothing is
 *           freed alone.
 * Process:  private, one thread at a time; for memory seen by other workers
 *           see exec/shm.h.
 * Fails:    sticky; after an allocation failed every later one returns NULL,
 *           see mem_failed.
 */
#ifndef OPEN_BASE_MEM_H
#define OPEN_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

struct mem_block;

struct mem {
	struct mem_block *head;
	size_t used;  /* bytes handed out since the last reset */
	size_t limit; /* bytes; 0: none */
	bool failed;
	bool guarded; /* see mem_guard */
};

/* limit: the most bytes it will hand out between resets, 0 for no limit.
 * Allocates nothing yet. */
void mem_create(struct mem *m, size_t limit);
/* What it will hold is secret: its blocks are those of guard.h. Before the
 * first allocation. */
void mem_guard(struct mem *m);
void mem_reset(struct mem *m);	 /* keeps one block, clears the failure */
void mem_destroy(struct mem *m); /* m may be created again */

/* size bytes, zeroed, aligned for any type; NULL when out of memory or over
 * the limit (sticky). */
void *mem_alloc(struct mem *m, size_t size);
/* count * size bytes; fails on overflow too. */
void *mem_array(struct mem *m, size_t count, size_t size);
char *mem_strdup(struct mem *m, const char *s);
/* len bytes and a NUL. */
char *mem_strndup(struct mem *m, const char *s, size_t len);
char *mem_printf(struct mem *m, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool mem_failed(const struct mem *m);

/* malloc and realloc that fail when a test says so; to be free()d. */
void *mem_heap(size_t size);
void *mem_heap_grow(void *p, size_t size);

/* Tests: after n more block and heap allocations, anywhere in the process,
 * every one fails; -1: never. */
void mem_fail_after(long n);

#endif
