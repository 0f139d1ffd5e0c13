/* lexer_strings.c - what a string literal means: escapes undone, a block's
 * indentation and empty ends removed (edition September 2025, section 2.10.4,
 * "String Value"). */
#include "graphql/lexer.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

/* Escapes ----------------------------------------------------------------- */

#define NOT_A_CHARACTER UINT32_MAX

static bool
is_scalar(uint32_t c)
{
	return c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
}

/* Four digits; NOT_A_CHARACTER if they are not. */
static uint32_t
hex4(const char *s, const char *end)
{
	uint32_t n = 0;

	if (end - s < 4)
		return NOT_A_CHARACTER;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(s[i]);

		if (d < 0)
			return NOT_A_CHARACTER;
		n = n << 4 | (uint32_t)d;
	}
	return n;
}

/* {1F600}, at most 8 digits; s behind the brace. */
static uint32_t
variable_width(const char **s, const char *end)
{
	const char *p = *s;
	uint32_t n = 0;

	for (; p < end && *p != '}' && p - *s < 8; p++) {
		int d = hex_digit(*p);

		if (d < 0)
			return NOT_A_CHARACTER;
		n = n << 4 | (uint32_t)d;
	}
	if (p == end || *p != '}' || p == *s || !is_scalar(n))
		return NOT_A_CHARACTER;
	*s = p + 1;
	return n;
}

/* Behind \u; moves *s behind the escape. */
static uint32_t
unicode(const char **s, const char *end)
{
	const char *p = *s;
	uint32_t high, low;

	if (p < end && *p == '{') {
		*s = p + 1;
		return variable_width(s, end);
	}
	high = hex4(p, end);
	if (high == NOT_A_CHARACTER)
		return high;
	*s = p + 4;
	if (is_scalar(high))
		return high;
	if (high > 0xdbff || end - p < 10 || p[4] != '\\' || p[5] != 'u')
		return NOT_A_CHARACTER;
	low = hex4(p + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return NOT_A_CHARACTER;
	*s = p + 10;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* Behind the backslash; moves *s behind the escape. */
static uint32_t
escape(const char **s, const char *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p;

	if (*s == end)
		return NOT_A_CHARACTER;
	if (**s == 'u') {
		(*s)++;
		return unicode(s, end);
	}
	p = memchr(from, **s, sizeof(from) - 1);
	(*s)++;
	return p != NULL ? (uint32_t)to[p - from] : NOT_A_CHARACTER;
}

const char *
gql_string_value(struct mem *m, const char *raw, size_t len,
    uint32_t *value_len, size_t *bad)
{
	const char *s = raw, *end = raw + len;
	char *copy = mem_alloc(m, len), *out = copy;

	*bad = SIZE_MAX;
	if (copy == NULL)
		return NULL;
	while (s < end) {
		const char *b = memchr(s, '\\', (size_t)(end - s));
		size_t plain = (size_t)((b != NULL ? b : end) - s);
		uint32_t c;

		memcpy(out, s, plain);
		out += plain;
		if (b == NULL)
			break;
		s = b + 1;
		c = escape(&s, end);
		if (c == NOT_A_CHARACTER) {
			*bad = (size_t)(b - raw);
			return NULL;
		}
		out += utf8_encode(c, out);
	}
	*value_len = (uint32_t)(out - copy);
	return copy;
}

/* Blocks ------------------------------------------------------------------ */

struct line {
	const char *s, *end;
};

/* The line at s, which ends before end, and behind it the next one's start;
 * false: there is none. */
static bool
next_line(const char **s, const char *end, struct line *line)
{
	const char *p = *s;

	if (p == NULL)
		return false;
	line->s = p;
	while (p < end && *p != '\n' && *p != '\r')
		p++;
	line->end = p;
	if (p == end)
		*s = NULL;
	else
		*s = p + (*p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1);
	return true;
}

static size_t
indent_of(const struct line *line)
{
	const char *p = line->s;

	while (p < line->end && (*p == ' ' || *p == '\t'))
		p++;
	return (size_t)(p - line->s);
}

/* Appends a line, \""" being """. */
static char *
put_line(char *out, const char *s, const char *end)
{
	while (s < end) {
		if (end - s >= 4 && memcmp(s, "\\\"\"\"", 4) == 0)
			s++;
		*out++ = *s++;
	}
	return out;
}

struct block {
	size_t indent;	    /* common to all lines but the first */
	size_t first, last; /* lines that are not white space alone */
	bool empty;
};

static void
measure(struct block *b, const char *raw, const char *end)
{
	struct line line;
	size_t n = 0;

	*b = (struct block){.indent = SIZE_MAX, .empty = true};
	for (; next_line(&raw, end, &line); n++) {
		size_t indent = indent_of(&line);

		if (indent == (size_t)(line.end - line.s))
			continue;
		if (b->empty)
			b->first = n;
		b->empty = false;
		b->last = n;
		if (n > 0 && indent < b->indent)
			b->indent = indent;
	}
}

const char *
gql_block_value(struct mem *m, const char *raw, size_t len, uint32_t *value_len)
{
	const char *end = raw + len;
	struct block b;
	struct line line;
	char *copy = mem_alloc(m, len), *out = copy;

	if (copy == NULL)
		return NULL;
	measure(&b, raw, end);
	for (size_t n = 0; !b.empty && next_line(&raw, end, &line); n++) {
		size_t size = (size_t)(line.end - line.s);
		size_t cut = n == 0 ? 0 : b.indent < size ? b.indent : size;

		if (n < b.first || n > b.last)
			continue;
		if (n > b.first)
			*out++ = '\n';
		out = put_line(out, line.s + cut, line.end);
	}
	*value_len = (uint32_t)(out - copy);
	return copy;
}
