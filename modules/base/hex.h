/* hex.h - hexadecimal digits.
 *
 * Process:  any thread.
 */
#ifndef OPEN_BASE_HEX_H
#define OPEN_BASE_HEX_H

#include <stddef.h>

/* 0 to 15 for a digit in either case; -1: it is none. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* len bytes as 2 * len small digits and a NUL. */
static inline void
hex_write(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

#endif
