/* resource_cursor.c - a place in a list as opaque text, and the values it
 * holds: times and integers.
 */
#include "web/resource.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

bool
resource_integer(const char *text, long long min, long long max)
{
	char *end;
	long long n;

	if (*text == '\0' || strlen(text) > 20 ||
	    strspn(text, "-0123456789") != strlen(text))
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0 && n >= min && n <= max;
}

/* The decoded text: direction, id, name of the order, ":", value. Times are
 * microseconds or "infinity"; sorted by id, the value is empty. */
char *
resource_cursor(const struct resource_query *q, const char *value,
    const struct uuid *id, struct mem *mem)
{
	char id_text[UUID_TEXT], number[24];
	char *text;
	int64_t at;

	uuid_format(id, id_text);
	if (q->sort_field->flags & FIELD_BY_ID) {
		value = "";
	} else if (q->sort_field->type == FIELD_TIME) {
		if (value != NULL && time_parse(value, strlen(value), &at)) {
			snprintf(number, sizeof(number), "%lld", (long long)at);
			value = number;
		} else {
			value = "infinity";
		}
	}
	text = mem_printf(mem, "%c%s%s:%s", q->descending ? '-' : '+', id_text,
	    q->sort->name, value != NULL ? value : "");
	return text != NULL ? base64_encode(mem, text, strlen(text)) : NULL;
}

/* The cursor's value as SQL text; NULL: not a value of the order's type. */
static const char *
cursor_value(const struct resource_query *q, const char *value, struct mem *m)
{
	char text[TIME_TEXT];

	if (q->sort_field->flags & FIELD_BY_ID) {
		char id[UUID_TEXT];

		uuid_format(&q->after_id, id);
		return *value == '\0' ? mem_strdup(m, id) : NULL;
	}
	if (q->sort_field->type == FIELD_TIME) {
		if (strcmp(value, "infinity") == 0)
			return value;
		if (!resource_integer(value, INT64_C(-62135596800000000),
			INT64_C(253402300799999999)))
			return NULL;
		time_format(strtoll(value, NULL, 10), text);
		return mem_strdup(m, text);
	}
	if (q->sort_field->type == FIELD_INTEGER)
		return resource_integer(value, INT32_MIN, INT32_MAX) ? value
								     : NULL;
	return utf8_valid(value, strlen(value)) == strlen(value) ? value : NULL;
}

bool
resource_cursor_parse(
    struct resource_query *q, const char *given, struct mem *mem)
{
	size_t name_len = strlen(q->sort->name);
	size_t len;
	char *text =
	    strlen(given) <= 4096 ? base64_decode(mem, given, &len) : NULL;

	if (text == NULL || strlen(text) < 37 + name_len + 1 ||
	    text[0] != (q->descending ? '-' : '+') ||
	    !uuid_parse(text + 1, 36, &q->after_id) ||
	    memcmp(text + 37, q->sort->name, name_len) != 0 ||
	    text[37 + name_len] != ':')
		return false;
	q->after_value = cursor_value(q, text + 37 + name_len + 1, mem);
	return q->after_value != NULL;
}
