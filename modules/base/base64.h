/* base64.h - bytes as text that needs no escape in a URL (RFC 4648, section 5,
 * without padding).
 *
 * Process: pure, any thread.
 */
#ifndef OPEN_BASE_BASE64_H
#define OPEN_BASE_BASE64_H

#include "base/mem.h"

/* The 64 characters, in the order of their values. */
extern const char base64_digits[];

/* NUL-terminated, in mem; NULL: out of memory. */
char *base64_encode(struct mem *, const void *data, size_t len);
/* The bytes and a NUL, in mem; NULL: another character, or out of memory. */
char *base64_decode(struct mem *, const char *text, size_t *len);

#endif
