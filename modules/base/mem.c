/* mem.c - blocks in a list, the newest first; each twice as large as the last
 * up to a megabyte. What does not fit a block of that size gets its own. */
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"

#define BLOCK_FIRST 4096u
#define BLOCK_MAX   (1u << 20)
#define ALIGN	    _Alignof(max_align_t)

struct mem_block {
	struct mem_block *next;
	size_t size, used;
	max_align_t data[];
};

static _Atomic long fail_after = -1;

void
mem_fail_after(long n)
{
	atomic_store(&fail_after, n);
}

static bool
must_fail(void)
{
	long n = atomic_load_explicit(&fail_after, memory_order_relaxed);

	if (n < 0)
		return false;
	if (n == 0)
		return true;
	atomic_store_explicit(&fail_after, n - 1, memory_order_relaxed);
	return false;
}

void *
mem_heap(size_t size)
{
	return must_fail() ? NULL : malloc(size > 0 ? size : 1);
}

void *
mem_heap_grow(void *p, size_t size)
{
	return must_fail() ? NULL : realloc(p, size > 0 ? size : 1);
}

void
mem_create(struct mem *m, size_t limit)
{
	memset(m, 0, sizeof(*m));
	m->limit = limit;
}

void
mem_guard(struct mem *m)
{
	assert(m->head == NULL);
	m->guarded = true;
}

static struct mem_block *
block_new(const struct mem *m, size_t size)
{
	if (!m->guarded)
		return mem_heap(size);
	return must_fail() ? NULL : guard_alloc(size);
}

static void
block_free(const struct mem *m, struct mem_block *b)
{
	if (m->guarded)
		guard_free(b, sizeof(*b) + b->size);
	else
		free(b);
}

static void
free_blocks(const struct mem *m, struct mem_block *b)
{
	while (b != NULL) {
		struct mem_block *next = b->next;

		block_free(m, b);
		b = next;
	}
}

void
mem_reset(struct mem *m)
{
	if (m->head != NULL) {
		free_blocks(m, m->head->next);
		m->head->next = NULL;
		m->head->used = 0;
		if (m->head->size > BLOCK_MAX || m->guarded) {
			block_free(m, m->head);
			m->head = NULL;
		}
	}
	m->used = 0;
	m->failed = false;
}

void
mem_destroy(struct mem *m)
{
	free_blocks(m, m->head);
	m->head = NULL;
	m->used = 0;
	m->failed = false;
}

/* A large request goes into a block of its own behind the head, which keeps
 * its free rest. */
static struct mem_block *
add_block(struct mem *m, size_t need)
{
	size_t size = BLOCK_FIRST - sizeof(struct mem_block);
	struct mem_block *b;

	if (m->head != NULL)
		size = m->head->size * 2;
	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (need > size)
		size = need;
	b = block_new(m, sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->used = 0;
	if (m->head != NULL && need > BLOCK_MAX / 4) {
		b->next = m->head->next;
		m->head->next = b;
	} else {
		b->next = m->head;
		m->head = b;
	}
	return b;
}

void *
mem_alloc(struct mem *m, size_t size)
{
	struct mem_block *b = m->head;
	size_t rounded;
	void *p;

	if (m->failed)
		return NULL;
	rounded = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (rounded < size || rounded > SIZE_MAX / 2 ||
	    (m->limit > 0 && rounded > m->limit - m->used))
		goto fail;
	if (b == NULL || rounded > b->size - b->used)
		b = add_block(m, rounded);
	if (b == NULL)
		goto fail;
	p = (char *)b->data + b->used;
	b->used += rounded;
	m->used += rounded;
	return memset(p, 0, size);
fail:
	m->failed = true;
	return NULL;
}

void *
mem_array(struct mem *m, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		m->failed = true;
		return NULL;
	}
	return mem_alloc(m, bytes);
}

char *
mem_strdup(struct mem *m, const char *s)
{
	return mem_strndup(m, s, strlen(s));
}

char *
mem_strndup(struct mem *m, const char *s, size_t len)
{
	char *p = len < SIZE_MAX ? mem_alloc(m, len + 1) : NULL;

	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
mem_printf(struct mem *m, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		m->failed = true;
		return NULL;
	}
	p = mem_alloc(m, (size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool
mem_failed(const struct mem *m)
{
	return m->failed;
}
