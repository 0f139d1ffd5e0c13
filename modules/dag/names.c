/* names.c - the charset of names. */
#include "dag/names.h"

#include <string.h>

#include "base/utf8.h"

static bool
is_allowed(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	if (c == 0x2028 || c == 0x2029)
		return false;
	return c != '"' && c != '\'' && c != '`' && c != '\\';
}

bool
name_is_valid(const char *s, size_t len)
{
	size_t w;

	for (size_t i = 0; i < len; i += w)
		if (!is_allowed(utf8_decode(s + i, &w)))
			return false;
	return len > 0 && s[0] != ' ' && s[len - 1] != ' ';
}

size_t
name_characters(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}
