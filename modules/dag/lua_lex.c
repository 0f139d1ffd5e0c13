/* lua_lex.c - Lua 5.4's lexical conventions (reference manual, section 3.1). */
#include "dag/lua_lex.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_char(char c)
{
	return is_digit(c) || c == '_' ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Length of "[[", "[=[" … at p; 0 if there is none. */
static size_t
long_bracket(const char *p, const char *end)
{
	const char *s = p + 1;

	if (p >= end || *p != '[')
		return 0;
	while (s < end && *s == '=')
		s++;
	return s < end && *s == '[' ? (size_t)(s + 1 - p) : 0;
}

/* Behind the bracket that closes the long string at p; NULL: none does. */
static const char *
long_end(const char *p, const char *end, size_t bracket)
{
	for (const char *s = p + bracket; s < end; s++) {
		size_t n = 1;

		if (*s != ']')
			continue;
		while (n < bracket - 1 && s + n < end && s[n] == '=')
			n++;
		if (n == bracket - 1 && s + n < end && s[n] == ']')
			return s + n + 1;
	}
	return NULL;
}

static void
skip_comment(struct lexer *l)
{
	size_t bracket = long_bracket(l->at + 2, l->end);
	const char *e;

	if (bracket > 0)
		e = long_end(l->at + 2, l->end, bracket);
	else
		e = memchr(l->at, '\n', (size_t)(l->end - l->at));
	l->at = e != NULL ? e : l->end;
}

static void
skip_blanks(struct lexer *l)
{
	while (l->at < l->end) {
		if (is_space(*l->at))
			l->at++;
		else if (l->end - l->at >= 2 && memcmp(l->at, "--", 2) == 0)
			skip_comment(l);
		else
			return;
	}
}

static const char *
quoted_end(const char *p, const char *end)
{
	for (const char *s = p + 1; s < end; s++) {
		if (*s == '\\')
			s++;
		else if (*s == *p)
			return s + 1;
	}
	return NULL;
}

static const char *
number_end(const char *p, const char *end)
{
	bool hex = end - p > 1 && p[0] == '0' && (p[1] | 0x20) == 'x';

	for (p++; p < end; p++) {
		bool sign = *p == '+' || *p == '-';
		char before = (char)(p[-1] | 0x20);

		if (sign && before == (hex ? 'p' : 'e'))
			continue;
		if (!is_name_char(*p) && *p != '.')
			break;
	}
	return p;
}

static const char *
symbol_end(const char *p, const char *end)
{
	static const char *const longer[] = {"...", "..", "::", "=="};

	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		size_t n = strlen(longer[i]);

		if ((size_t)(end - p) >= n && memcmp(p, longer[i], n) == 0)
			return p + n;
	}
	return p + 1;
}

struct lex_token
lex_next(struct lexer *l)
{
	struct lex_token t = {LEX_END, NULL, 0};
	const char *p, *e;
	size_t bracket;

	skip_blanks(l);
	p = e = l->at;
	t.text = p;
	if (p >= l->end)
		return t;
	bracket = long_bracket(p, l->end);
	if (is_digit(*p) || (*p == '.' && l->end - p > 1 && is_digit(p[1]))) {
		t.kind = LEX_NUMBER;
		e = number_end(p, l->end);
	} else if (is_name_char(*p)) {
		t.kind = LEX_NAME;
		while (e < l->end && is_name_char(*e))
			e++;
	} else if (bracket > 0 || *p == '"' || *p == '\'') {
		t.kind = LEX_TEXT;
		e = bracket > 0 ? long_end(p, l->end, bracket)
				: quoted_end(p, l->end);
	} else {
		t.kind = LEX_SYMBOL;
		e = symbol_end(p, l->end);
	}
	if (e == NULL) {
		t.kind = LEX_BAD;
		e = l->end;
	}
	t.len = (size_t)(e - p);
	l->at = e;
	return t;
}

bool
lex_is(const struct lex_token *t, const char *text)
{
	return strlen(text) == t->len && memcmp(text, t->text, t->len) == 0;
}

/* Escapes ----------------------------------------------------------------- */

/* \xXX */
static const char *
escape_hex(const char *s, const char *end, struct buf *out)
{
	int high, low;

	if (end - s < 3)
		return NULL;
	high = hex_digit(s[1]);
	low = hex_digit(s[2]);
	if (high < 0 || low < 0)
		return NULL;
	buf_putc(out, (char)(high << 4 | low));
	return s + 3;
}

/* \ddd */
static const char *
escape_decimal(const char *s, const char *end, struct buf *out)
{
	int n = 0;

	for (int i = 0; i < 3 && s < end && is_digit(*s); i++)
		n = n * 10 + (*s++ - '0');
	if (n > 255)
		return NULL;
	buf_putc(out, (char)n);
	return s;
}

/* \u{XXX} */
static const char *
escape_unicode(const char *s, const char *end, struct buf *out)
{
	uint32_t c = 0;
	char bytes[4];

	if (end - s < 4 || s[1] != '{')
		return NULL;
	for (s += 2; s < end && *s != '}'; s++) {
		int d = hex_digit(*s);

		if (d < 0 || c > 0x10ffff)
			return NULL;
		c = c << 4 | (uint32_t)d;
	}
	if (s == end || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return NULL;
	buf_put(out, bytes, utf8_encode(c, bytes));
	return s + 1;
}

/* s behind the backslash. */
static const char *
escape(const char *s, const char *end, struct buf *out)
{
	static const char from[] = "abfnrtv\\\"'\n";
	static const char to[] = "\a\b\f\n\r\t\v\\\"'\n";
	const char *p;

	if (s >= end || *s == '\0')
		return NULL;
	if (is_digit(*s))
		return escape_decimal(s, end, out);
	if (*s == 'x')
		return escape_hex(s, end, out);
	if (*s == 'u')
		return escape_unicode(s, end, out);
	if (*s == 'z') {
		for (s++; s < end && is_space(*s); s++)
			;
		return s;
	}
	p = strchr(from, *s);
	if (p == NULL)
		return NULL;
	buf_putc(out, to[p - from]);
	return s + 1;
}

bool
lex_text_value(const struct lex_token *t, struct buf *out)
{
	size_t bracket = long_bracket(t->text, t->text + t->len);
	const char *s = t->text + 1, *end = t->text + t->len - 1;

	if (bracket > 0) {
		s = t->text + bracket;
		end = t->text + t->len - bracket;
		if (s < end && *s == '\n')
			s++;
		buf_put(out, s, (size_t)(end - s));
		return !buf_failed(out);
	}
	while (s != NULL && s < end) {
		if (*s != '\\')
			buf_putc(out, *s++);
		else
			s = escape(s + 1, end, out);
	}
	return s != NULL && !buf_failed(out);
}
