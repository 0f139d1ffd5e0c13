/* buf.c - appends, doubling the memory. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/mem.h"

void
buf_create(struct buf *b, size_t limit)
{
	memset(b, 0, sizeof(*b));
	b->limit = limit;
}

void
buf_free(struct buf *b)
{
	bool wipe = b->wipe;

	if (wipe)
		guard_wipe(b->data, b->cap);
	free(b->data);
	buf_create(b, b->limit);
	b->wipe = wipe;
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* realloc that leaves no copy. */
static char *
grow_wiped(struct buf *b, size_t cap)
{
	char *data = mem_heap(cap);

	if (data == NULL)
		return NULL;
	if (b->data != NULL) {
		memcpy(data, b->data, b->len + 1);
		guard_wipe(b->data, b->cap);
		free(b->data);
	}
	return data;
}

/* Room for len more bytes and the NUL. */
static bool
reserve(struct buf *b, size_t len)
{
	size_t need, cap;
	char *data;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->len + 1, len, &need) ||
	    (b->limit > 0 && need - 1 > b->limit) || need > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	if (need <= b->cap)
		return true;
	cap = b->cap > 0 ? b->cap : 64;
	while (cap < need)
		cap *= 2;
	data = b->wipe ? grow_wiped(b, cap) : mem_heap_grow(b->data, cap);
	if (data == NULL) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void
buf_put(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	if (!reserve(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	if (b->failed || !reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_u64(struct buf *b, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	buf_put(b, digits + at, sizeof(digits) - at);
}

bool
buf_failed(const struct buf *b)
{
	return b->failed;
}

char *
buf_take(struct buf *b, size_t *len)
{
	char *data;

	buf_put(b, "", 0);
	if (b->failed) {
		buf_free(b);
		return NULL;
	}
	data = b->data;
	if (len != NULL)
		*len = b->len;
	buf_create(b, b->limit);
	return data;
}
