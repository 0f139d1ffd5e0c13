/* url.c - percent decoding. */

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "web/url.h"

/* text := { char | '+' | '%' hex hex } */
char *
url_decode(struct mem *m, const char *text, size_t len, bool plus)
{
	char *out, *o;
	size_t i;
	int high, low;

	if ((out = o = mem_alloc(m, len + 1)) == NULL)
		return NULL;
	for (i = 0; i < len; i++) {
		if (text[i] == '+' && plus) {
			*o++ = ' ';
			continue;
		}
		if (text[i] != '%') {
			*o++ = text[i];
			continue;
		}
		if (i + 2 >= len || (high = hex_digit(text[i + 1])) < 0 ||
		    (low = hex_digit(text[i + 2])) < 0 || (high | low) == 0)
			return NULL;
		*o++ = (char)(high << 4 | low);
		i += 2;
	}
	*o = '\0';
	return utf8_valid(out, (size_t)(o - out)) == (size_t)(o - out) ? out
								       : NULL;
}

bool
url_query(struct mem *m, const char *query,
    void (*each)(void *, const char *, const char *), void *ctx)
{
	const char *end, *equals;
	char *name, *value;

	for (; *query != '\0'; query = *end == '\0' ? end : end + 1) {
		end = query + strcspn(query, "&");
		if (end == query)
			continue;
		equals = memchr(query, '=', (size_t)(end - query));
		name = url_decode(m, query,
		    (size_t)((equals == NULL ? end : equals) - query), true);
		value = equals == NULL ? url_decode(m, "", 0, true)
				       : url_decode(m, equals + 1,
					     (size_t)(end - equals - 1), true);
		if (name == NULL || value == NULL)
			return false;
		each(ctx, name, value);
	}
	return true;
}
