/* hex.h - hexadecimal digits.
 *
 * Process:  any thread.
 */
#ifndef OPEN_BASE_HEX_H
#define OPEN_BASE_HEX_H

/* 0 to 15 for a digit in either case; -1: it is none. */
static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
