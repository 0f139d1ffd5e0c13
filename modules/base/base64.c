/* base64.c - RFC 4648, section 5. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *
base64_encode(struct mem *m, const void *data, size_t len)
{
	const unsigned char *bytes = data;
	char *out = mem_alloc(m, len / 3 * 4 + 5);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			*o++ = base64_digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*o++ = base64_digits[bits << (6 - have) & 63];
	*o = '\0';
	return out;
}

char *
base64_decode(struct mem *m, const char *text, size_t *len)
{
	char *out = mem_alloc(m, strlen(text) + 1);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	for (; out != NULL && *text != '\0'; text++) {
		const char *at = strchr(base64_digits, *text);

		if (at == NULL)
			return NULL;
		bits = bits << 6 | (uint32_t)(at - base64_digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*o++ = (char)(bits >> have & 0xff);
		}
	}
	*len = out == NULL ? 0 : (size_t)(o - out);
	return out;
}
