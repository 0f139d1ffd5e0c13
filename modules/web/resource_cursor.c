/* resource_cursor.c - a place in a list as opaque text, and the values it
 * holds: times and integers, checked as strictly as PostgreSQL would.
 */
#include "web/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Days from 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
days_in_month(int y, int m)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* Exactly n digits; -1: something else. */
static int
digits(const char **s, const char *end, int n)
{
	int value = 0;

	for (; n > 0; n--) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		value = value * 10 + (*(*s)++ - '0');
	}
	return value;
}

static bool
literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	++*s;
	return true;
}

/* "Z", "+02", "+0200" or "+02:00", in minutes. */
static bool
parse_offset(const char **s, const char *end, int *minutes)
{
	int sign, h, m = 0;

	if (literal(s, end, 'Z') || literal(s, end, 'z')) {
		*minutes = 0;
		return true;
	}
	if (literal(s, end, '+') || literal(s, end, ' '))
		sign = 1; /* an unescaped + in a URL is a space */
	else if (literal(s, end, '-'))
		sign = -1;
	else
		return false;
	h = digits(s, end, 2);
	if (*s != end) {
		literal(s, end, ':');
		m = digits(s, end, 2);
	}
	*minutes = sign * (h * 60 + m);
	return h >= 0 && h <= 15 && m >= 0 && m <= 59;
}

bool
resource_time_parse(const char *text, size_t len, int64_t *real_us)
{
	const char *s = text, *end = text + len;
	int y, mon, d, h, min, sec, us = 0, scale = 100000, offset;

	if ((y = digits(&s, end, 4)) < 1 || !literal(&s, end, '-') ||
	    (mon = digits(&s, end, 2)) < 1 || mon > 12 ||
	    !literal(&s, end, '-') || (d = digits(&s, end, 2)) < 1 ||
	    d > days_in_month(y, mon))
		return false;
	if (!literal(&s, end, 'T') && !literal(&s, end, 't') &&
	    !literal(&s, end, ' '))
		return false;
	if ((h = digits(&s, end, 2)) < 0 || h > 23 || !literal(&s, end, ':') ||
	    (min = digits(&s, end, 2)) < 0 || min > 59 ||
	    !literal(&s, end, ':') || (sec = digits(&s, end, 2)) < 0 ||
	    sec > 59)
		return false;
	if (literal(&s, end, '.')) {
		if (s == end || *s < '0' || *s > '9')
			return false;
		for (; s < end && *s >= '0' && *s <= '9'; s++, scale /= 10)
			us += (*s - '0') * scale;
	}
	if (!parse_offset(&s, end, &offset) || s != end)
		return false;
	*real_us = ((days_from_civil(y, mon, d) * 24 + h) * 60 + min - offset) *
		       60 * INT64_C(1000000) +
		   sec * INT64_C(1000000) + us;
	return true;
}

bool
resource_integer(const char *text, long long min, long long max)
{
	char *end;
	long long n;

	if (*text == '\0' || strlen(text) > 20 ||
	    strspn(text, "-0123456789") != strlen(text))
		return false;
	n = strtoll(text, &end, 10);
	return *end == '\0' && n >= min && n <= max;
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *
base64_encode(const char *text, size_t len, struct mem *mem)
{
	char *out = mem_alloc(mem, len / 3 * 4 + 5);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (unsigned char)text[i];
		for (have += 8; have >= 6; have -= 6)
			*o++ = base64[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*o++ = base64[bits << (6 - have) & 63];
	*o = '\0';
	return out;
}

static char *
base64_decode(const char *text, struct mem *mem)
{
	char *out = mem_alloc(mem, strlen(text) + 1);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	for (; out != NULL && *text != '\0'; text++) {
		const char *at = strchr(base64, *text);

		if (at == NULL)
			return NULL;
		bits = bits << 6 | (uint32_t)(at - base64);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*o++ = (char)(bits >> have & 0xff);
		}
	}
	return out;
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
		if (value != NULL &&
		    resource_time_parse(value, strlen(value), &at)) {
			snprintf(number, sizeof(number), "%lld", (long long)at);
			value = number;
		} else {
			value = "infinity";
		}
	}
	text = mem_printf(mem, "%c%s%s:%s", q->descending ? '-' : '+', id_text,
	    q->sort->name, value != NULL ? value : "");
	return text != NULL ? base64_encode(text, strlen(text), mem) : NULL;
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
	char *text = strlen(given) <= 4096 ? base64_decode(given, mem) : NULL;

	if (text == NULL || strlen(text) < 37 + name_len + 1 ||
	    text[0] != (q->descending ? '-' : '+') ||
	    !uuid_parse(text + 1, 36, &q->after_id) ||
	    memcmp(text + 37, q->sort->name, name_len) != 0 ||
	    text[37 + name_len] != ':')
		return false;
	q->after_value = cursor_value(q, text + 37 + name_len + 1, mem);
	return q->after_value != NULL;
}
