/* cursor.c - base64url of: the order's hash in eight hexadecimal digits, then
 * for each key "LENGTH:VALUE" or "-" for null. Times are microseconds.
 */
#include "graphql/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

/* --- made ----------------------------------------------------------------- */

static bool
put_value(struct buf *b, enum field_type type, const struct wire *w)
{
	char text[UUID_TEXT];
	struct uuid id;
	int64_t n;

	switch (type) {
	case FIELD_UUID:
		if (w->len != 16)
			return false;
		memcpy(&id, w->data, 16);
		uuid_format(&id, text);
		buf_put(b, text, 36);
		return true;
	case FIELD_INTEGER:
		if (!wire_integer(w, &n))
			return false;
		buf_printf(b, "%lld", (long long)n);
		return true;
	case FIELD_TIME:
		if (!wire_time(w, &n))
			return false;
		buf_printf(b, "%lld", (long long)n);
		return true;
	case FIELD_NUMBER:
		return wire_numeric(b, w);
	case FIELD_BOOLEAN:
		buf_putc(b, w->len == 1 && *w->data != 0 ? 't' : 'f');
		return true;
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_JSON:
	case FIELD_LIST:
	case FIELD_VALUE:
		break;
	}
	buf_put(b, w->data, (size_t)w->len);
	return true;
}

const char *
cursor_make(
    struct mem *m, const struct plan_page *page, const struct wire *cells)
{
	struct buf b, value;
	char *text = NULL;

	buf_create(&b, 0);
	buf_create(&value, 0);
	buf_printf(&b, "%08x", page->order);
	for (unsigned i = 0; i < page->key_count; i++) {
		const struct wire *w = &cells[page->keys[i].column];

		buf_reset(&value);
		if (w->len < 0 || !put_value(&value, page->keys[i].type, w)) {
			buf_putc(&b, '-');
			continue;
		}
		buf_printf(&b, "%zu:", value.len);
		buf_put(&b, value.data, value.len);
	}
	if (!buf_failed(&b) && !buf_failed(&value))
		text = base64_encode(m, b.data, b.len);
	buf_free(&b);
	buf_free(&value);
	return text;
}

/* --- read ----------------------------------------------------------------- */

static bool
is_number(const char *s, size_t len)
{
	size_t i = len > 0 && *s == '-', dots = 0, digits = 0;

	if (len > 60)
		return false;
	for (; i < len; i++)
		if (s[i] == '.')
			dots++;
		else if (s[i] >= '0' && s[i] <= '9')
			digits++;
		else
			return false;
	return dots <= 1 && digits > 0;
}

static const char *
time_text(struct mem *m, const char *s)
{
	char text[TIME_TEXT];

	if (!resource_integer(
		s, INT64_C(-62135596800000000), INT64_C(253402300799999999)))
		return NULL;
	time_format(strtoll(s, NULL, 10), text);
	return mem_strdup(m, text);
}

/* The value as SQL text; NULL: not of the type. */
static const char *
checked(struct mem *m, enum field_type type, const char *s, size_t len)
{
	struct uuid id;

	switch (type) {
	case FIELD_UUID:
		return uuid_parse(s, len, &id) ? s : NULL;
	case FIELD_INTEGER:
		return resource_integer(s, INT64_MIN, INT64_MAX) ? s : NULL;
	case FIELD_NUMBER:
		return is_number(s, len) ? s : NULL;
	case FIELD_BOOLEAN:
		return strcmp(s, "t") == 0 || strcmp(s, "f") == 0 ? s : NULL;
	case FIELD_TIME:
		return time_text(m, s);
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_JSON:
	case FIELD_LIST:
	case FIELD_VALUE:
		break;
	}
	return strlen(s) == len && utf8_valid(s, len) == len ? s : NULL;
}

/* The next value: sets *s to NULL for null. */
static bool
next_value(struct mem *m, const char **at, const char *end, const char **s,
    size_t *len)
{
	size_t n = 0, digits = 0;

	*s = NULL;
	if (*at < end && **at == '-') {
		(*at)++;
		return true;
	}
	for (; *at < end && **at >= '0' && **at <= '9' && digits < 5;
	     (*at)++, digits++)
		n = n * 10 + (size_t)(**at - '0');
	if (digits == 0 || *at == end || **at != ':' ||
	    n > (size_t)(end - *at) - 1)
		return false;
	*s = mem_strndup(m, *at + 1, n);
	*len = n;
	*at += 1 + n;
	return *s != NULL;
}

bool
cursor_value(struct mem *m, const struct plan_page *page, const char *text,
    unsigned i, const char **value)
{
	size_t len, value_len = 0;
	const char *s, *at, *end;
	char order[9];

	*value = NULL;
	if (strlen(text) > CURSOR_TEXT_MAX ||
	    (at = base64_decode(m, text, &len)) == NULL || len < 8)
		return false;
	end = at + len;
	snprintf(order, sizeof(order), "%08x", page->order);
	if (memcmp(at, order, 8) != 0)
		return false;
	at += 8;
	for (unsigned k = 0; k <= i; k++)
		if (!next_value(m, &at, end, &s, &value_len))
			return false;
	if (s != NULL)
		*value = checked(m, page->keys[i].type, s, value_len);
	return s == NULL || *value != NULL;
}
