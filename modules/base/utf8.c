/* utf8.c - validation by the table of well-formed byte sequences. */
#include "base/utf8.h"

#include <string.h>

static int
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_width(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4 || len < 2 || !is_tail(u[1]))
		return 0;
	if (u[0] < 0xe0)
		return 2;
	if (len < 3 || !is_tail(u[2]))
		return 0;
	if (u[0] < 0xf0) {
		if ((u[0] == 0xe0 && u[1] < 0xa0) ||
		    (u[0] == 0xed && u[1] > 0x9f))
			return 0;
		return 3;
	}
	if (len < 4 || !is_tail(u[3]) || (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return 4;
}

size_t
utf8_valid(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		uint64_t eight;
		size_t w;

		if (len - i >= 8) {
			memcpy(&eight, s + i, 8);
			if ((eight & 0x8080808080808080u) == 0) {
				i += 8;
				continue;
			}
		}
		w = utf8_width(s + i, len - i);
		if (w == 0)
			return i;
		i += w;
	}
	return len;
}

uint32_t
utf8_decode(const char *s, size_t *width)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] < 0x80) {
		*width = 1;
		return u[0];
	}
	if (u[0] < 0xe0) {
		*width = 2;
		return (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	}
	if (u[0] < 0xf0) {
		*width = 3;
		return (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 |
		       (u[2] & 0x3fu);
	}
	*width = 4;
	return (u[0] & 0x07u) << 18 | (u[1] & 0x3fu) << 12 |
	       (u[2] & 0x3fu) << 6 | (u[3] & 0x3fu);
}

size_t
utf8_encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

void
utf8_cut(char *s, size_t len)
{
	size_t start = len;

	while (start > 0 && is_tail((unsigned char)s[start - 1]))
		start--;
	if (start > 0 && (unsigned char)s[start - 1] >= 0xc0)
		start--;
	if (start < len && start + utf8_width(s + start, len - start) != len)
		len = start;
	s[len] = '\0';
}
