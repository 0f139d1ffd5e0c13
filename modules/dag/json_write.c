/* json_write.c - JSON trees as text, as they are or in canonical form. */
#include "dag/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
write_escape(struct buf *b, unsigned char c)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	static const char hex[] = "0123456789abcdef";
	const char *p = c != 0 ? strchr(from, c) : NULL;
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (p != NULL) {
		buf_putc(b, '\\');
		buf_putc(b, to[p - from]);
	} else {
		buf_put(b, text, sizeof(text));
	}
}

void
json_write_string(struct buf *b, const char *s, size_t len)
{
	size_t start = 0;

	buf_putc(b, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_put(b, s + start, i - start);
		write_escape(b, c);
		start = i + 1;
	}
	buf_put(b, s + start, len - start);
	buf_putc(b, '"');
}

static void
write_integer(struct buf *b, int64_t n)
{
	if (n < 0)
		buf_putc(b, '-');
	buf_u64(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void
json_write_number(struct buf *b, double n)
{
	struct json v = {.type = JSON_NUMBER, .number = n};
	char text[40];
	int64_t integer;

	if (json_as_integer(&v, &integer)) {
		write_integer(b, integer);
		return;
	}
	if (!isfinite(n)) {
		buf_puts(b, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		double back;

		snprintf(text, sizeof(text), "%.*g", digits, n);
		back = strtod(text, NULL);
		if (!(back < n) && !(back > n))
			break;
	}
	buf_puts(b, text);
}

static int
compare_names(const void *a, const void *b)
{
	const struct json_member *x = *(const struct json_member *const *)a;
	const struct json_member *y = *(const struct json_member *const *)b;
	uint32_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int c = memcmp(x->name, y->name, len);

	if (c == 0 && x->name_len != y->name_len)
		c = x->name_len < y->name_len ? -1 : 1;
	return c;
}

static void write_value(struct buf *b, const struct json *v, bool canonical);

static void
write_members(struct buf *b, const struct json *v, bool canonical)
{
	const struct json_member *few[16], **sorted = few;

	if (v->count > 16)
		sorted = mem_heap(v->count * sizeof(struct json_member *));
	if (sorted == NULL) {
		b->failed = true;
		return;
	}
	for (uint32_t i = 0; i < v->count; i++)
		sorted[i] = &v->members[i];
	if (canonical)
		qsort(sorted, v->count, sizeof(struct json_member *),
		    compare_names);
	for (uint32_t i = 0; i < v->count && !b->failed; i++) {
		if (i > 0)
			buf_putc(b, ',');
		json_write_string(b, sorted[i]->name, sorted[i]->name_len);
		buf_putc(b, ':');
		write_value(b, sorted[i]->value, canonical);
	}
	if (sorted != few)
		free(sorted);
}

static void
write_items(struct buf *b, const struct json *v, bool canonical)
{
	for (uint32_t i = 0; i < v->count && !b->failed; i++) {
		if (i > 0)
			buf_putc(b, ',');
		write_value(b, v->items[i], canonical);
	}
}

static void
write_value(struct buf *b, const struct json *v, bool canonical)
{
	switch (v->type) {
	case JSON_NULL:
		buf_puts(b, "null");
		break;
	case JSON_FALSE:
		buf_puts(b, "false");
		break;
	case JSON_TRUE:
		buf_puts(b, "true");
		break;
	case JSON_INTEGER:
		write_integer(b, v->integer);
		break;
	case JSON_NUMBER:
		if (v->text != NULL && !canonical)
			buf_puts(b, v->text);
		else
			json_write_number(b, v->number);
		break;
	case JSON_STRING:
		json_write_string(b, v->string, v->count);
		break;
	case JSON_ARRAY:
		buf_putc(b, '[');
		write_items(b, v, canonical);
		buf_putc(b, ']');
		break;
	case JSON_OBJECT:
		buf_putc(b, '{');
		write_members(b, v, canonical);
		buf_putc(b, '}');
		break;
	}
}

void
json_write(struct buf *b, const struct json *v)
{
	write_value(b, v, false);
}

void
json_write_canonical(struct buf *b, const struct json *v)
{
	write_value(b, v, true);
}
