/* buf.h - growable byte string for writers.
 *
 * Owner:    whoever called buf_create; buf_free ends it. data is malloc'd and
 *           NUL-terminated (the NUL is not in len), NULL while nothing was put.
 * Fails:    sticky; after a failure appends do nothing and buf_failed tells.
 *           Check once at the end.
 */
#ifndef OPEN_BASE_BUF_H
#define OPEN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit; /* bytes; 0: none */
	bool failed;
	bool wipe; /* its bytes are secret: none is left behind */
};

void buf_create(struct buf *b, size_t limit);
void buf_free(struct buf *b);
void buf_reset(struct buf *b); /* len 0, keeps the memory, clears the failure */
void buf_put(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t n); /* decimal, without printf */
bool buf_failed(const struct buf *b);

/* The bytes, now the caller's to free(); NULL after a failure, "" if nothing
 * was put. b is empty afterwards. len may be NULL. */
char *buf_take(struct buf *b, size_t *len);

#endif
