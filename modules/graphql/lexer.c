/* lexer.c - one table of character classes, one function for each class of
 * tokens. */
#include "graphql/lexer.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum class {
	OTHER,
	SPACE, /* white space and commas */
	LINE_FEED,
	CARRIAGE_RETURN,
	LETTER,
	DIGIT,
	MINUS,
	PUNCTUATOR,
	DOT,
	QUOTE,
	HASH,
	MARK, /* first byte of a byte order mark, maybe */
};

static const uint8_t classes[256] = {
    ['\t'] = SPACE,
    [' '] = SPACE,
    [','] = SPACE,
    ['\n'] = LINE_FEED,
    ['\r'] = CARRIAGE_RETURN,
    ['A' ... 'Z'] = LETTER,
    ['a' ... 'z'] = LETTER,
    ['_'] = LETTER,
    ['0' ... '9'] = DIGIT,
    ['-'] = MINUS,
    ['!'] = PUNCTUATOR,
    ['$'] = PUNCTUATOR,
    ['&'] = PUNCTUATOR,
    ['('] = PUNCTUATOR,
    [')'] = PUNCTUATOR,
    [':'] = PUNCTUATOR,
    ['='] = PUNCTUATOR,
    ['@'] = PUNCTUATOR,
    ['['] = PUNCTUATOR,
    [']'] = PUNCTUATOR,
    ['{'] = PUNCTUATOR,
    ['|'] = PUNCTUATOR,
    ['}'] = PUNCTUATOR,
    ['.'] = DOT,
    ['"'] = QUOTE,
    ['#'] = HASH,
    [0xef] = MARK,
};

static unsigned
class_at(const struct gql_lexer *l, const char *p)
{
	return p < l->end ? classes[(unsigned char)*p] : OTHER;
}

/* Places ------------------------------------------------------------------ */

void
gql_lexer_create(struct gql_lexer *l, struct mem *m, const char *text,
    size_t len, struct gql_error *e)
{
	l->text = l->p = l->line_base = text;
	l->end = text + len;
	l->line = 1;
	l->mem = m;
	l->error = e;
}

/* Bytes less UTF-16 units. */
static size_t
surplus(const char *s, const char *end)
{
	size_t n = 0;

	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;

		n += (size_t)((c & 0xc0) == 0x80);
		n -= (size_t)(c >= 0xf0);
	}
	return n;
}

struct gql_place
gql_place_at(const char *text, size_t offset)
{
	struct gql_place at = {.line = 1};
	size_t start = 0;

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\r' && i + 1 < offset && text[i + 1] == '\n')
			continue;
		if (text[i] != '\n' && text[i] != '\r')
			continue;
		at.line++;
		start = i + 1;
	}
	at.column = (uint32_t)(offset - start + 1 -
			       surplus(text + start, text + offset));
	return at;
}

static int
fail_at(struct gql_lexer *l, const char *p, const char *fmt, const char *s,
    size_t len)
{
	gql_fail(l->error, "graphql_syntax",
	    gql_place_at(l->text, (size_t)(p - l->text)), fmt,
	    (int)(len < 100 ? len : 100), s);
	return -1;
}

/* "Syntax Error: WHAT CHARACTER." */
static int
fail_character(struct gql_lexer *l, const char *p, const char *what)
{
	char text[160];
	size_t width = 0;
	uint32_t c = p < l->end ? utf8_decode(p, &width) : 0;

	if (p == l->end)
		snprintf(text, sizeof(text), "%s <EOF>", what);
	else if (c == '"')
		snprintf(text, sizeof(text), "%s '\"'", what);
	else if (c >= 0x20 && c <= 0x7e)
		snprintf(text, sizeof(text), "%s \"%c\"", what, (char)c);
	else
		snprintf(text, sizeof(text), "%s U+%04X", what, c);
	return fail_at(l, p, "Syntax Error: %.*s.", text, strlen(text));
}

static int
fail_memory(struct gql_lexer *l)
{
	return gql_fail(l->error, "out_of_memory",
	    gql_place_at(l->text, (size_t)(l->p - l->text)), "Out of memory.");
}

/* Numbers ----------------------------------------------------------------- */

static const char *
digits(struct gql_lexer *l, const char *p)
{
	if (class_at(l, p) != DIGIT) {
		fail_character(l, p, "Invalid number, expected digit but got:");
		return NULL;
	}
	while (class_at(l, p) == DIGIT)
		p++;
	return p;
}

/* IntegerPart; NULL: failed. */
static const char *
integer_part(struct gql_lexer *l, const char *p)
{
	if (p < l->end && *p == '-')
		p++;
	if (p == l->end || *p != '0')
		return digits(l, p);
	p++;
	if (class_at(l, p) == DIGIT) {
		fail_character(
		    l, p, "Invalid number, unexpected digit after 0:");
		return NULL;
	}
	return p;
}

/* IntegerPart FractionalPart? ExponentPart?, not before a dot or a name. */
static int
lex_number(struct gql_lexer *l, struct gql_token *t)
{
	const char *p = integer_part(l, l->p);

	t->kind = GQL_TOKEN_INT;
	if (p != NULL && p < l->end && *p == '.') {
		t->kind = GQL_TOKEN_FLOAT;
		p = digits(l, p + 1);
	}
	if (p != NULL && p < l->end && (*p == 'e' || *p == 'E')) {
		t->kind = GQL_TOKEN_FLOAT;
		p++;
		if (p < l->end && (*p == '+' || *p == '-'))
			p++;
		p = digits(l, p);
	}
	if (p == NULL)
		return -1;
	if (class_at(l, p) == DOT || class_at(l, p) == LETTER)
		return fail_character(
		    l, p, "Invalid number, expected digit but got:");
	t->s = l->p;
	t->len = (uint32_t)(p - l->p);
	l->p = p;
	return 0;
}

/* Strings ----------------------------------------------------------------- */

/* p: at its backslash */
static int
fail_escape(struct gql_lexer *l, const char *p)
{
	size_t len = 1;

	if (p + 1 < l->end)
		len += utf8_width(p + 1, (size_t)(l->end - p - 1));
	return fail_at(
	    l, p, "Syntax Error: Invalid escape sequence: \"%.*s\".", p, len);
}

static int
lex_string(struct gql_lexer *l, struct gql_token *t)
{
	const char *start = l->p + 1, *p = start;
	bool escapes = false;
	unsigned char high = 0;
	size_t bad;

	for (; p < l->end && *p != '"' && *p != '\n' && *p != '\r'; p++) {
		high |= (unsigned char)*p;
		if (*p != '\\')
			continue;
		escapes = true;
		if (p + 1 < l->end && p[1] != '\n' && p[1] != '\r')
			p++;
	}
	t->kind = GQL_TOKEN_STRING;
	t->s = start;
	t->len = (uint32_t)(p - start);
	if (escapes) {
		t->s = gql_string_value(
		    l->mem, start, (size_t)(p - start), &t->len, &bad);
		if (t->s == NULL && bad == SIZE_MAX)
			return fail_memory(l);
		if (t->s == NULL)
			return fail_escape(l, start + bad);
	}
	if (p == l->end || *p != '"')
		return fail_at(
		    l, p, "Syntax Error: Unterminated string%.*s.", "", 0);
	if (high >= 0x80)
		l->line_base += surplus(start, p);
	l->p = p + 1;
	return 0;
}

/* Its end behind the opening quotes, or NULL; counts lines and finds the start
 * of the last one, which is left NULL if there is no other. */
static const char *
block_end(struct gql_lexer *l, const char *p, const char **line_start)
{
	for (; p < l->end; p++) {
		if (*p == '"' && l->end - p >= 3 && memcmp(p, "\"\"\"", 3) == 0)
			return p;
		if (*p == '\\' && l->end - p >= 4 &&
		    memcmp(p, "\\\"\"\"", 4) == 0) {
			p += 3;
		} else if (*p == '\n' || *p == '\r') {
			if (*p == '\r' && p + 1 < l->end && p[1] == '\n')
				p++;
			l->line++;
			*line_start = p + 1;
		}
	}
	return NULL;
}

static int
lex_block_string(struct gql_lexer *l, struct gql_token *t)
{
	const char *start = l->p + 3, *line_start = NULL;
	const char *end = block_end(l, start, &line_start);

	if (end == NULL)
		return fail_at(
		    l, l->end, "Syntax Error: Unterminated string%.*s.", "", 0);
	t->kind = GQL_TOKEN_BLOCK_STRING;
	t->s = gql_block_value(l->mem, start, (size_t)(end - start), &t->len);
	if (t->s == NULL)
		return fail_memory(l);
	if (line_start != NULL)
		l->line_base = line_start + surplus(line_start, end);
	else
		l->line_base += surplus(start, end);
	l->p = end + 3;
	return 0;
}

/* The rest ---------------------------------------------------------------- */

static const char *
comment_end(struct gql_lexer *l, const char *p)
{
	const char *start = p;
	unsigned char high = 0;

	for (; p < l->end && *p != '\n' && *p != '\r'; p++)
		high |= (unsigned char)*p;
	if (high >= 0x80)
		l->line_base += surplus(start, p);
	return p;
}

/* What is no token: white space, commas, line ends, comments, byte order
 * marks. */
static const char *
skip(struct gql_lexer *l)
{
	const char *p = l->p;

	for (;;) {
		unsigned c = class_at(l, p);

		if (c == SPACE) {
			p++;
		} else if (c == LINE_FEED || c == CARRIAGE_RETURN) {
			p++;
			if (c == CARRIAGE_RETURN && p < l->end && *p == '\n')
				p++;
			l->line++;
			l->line_base = p;
		} else if (c == HASH) {
			p = comment_end(l, p);
		} else if (c == MARK && l->end - p >= 3 &&
			   memcmp(p, "\xef\xbb\xbf", 3) == 0) {
			p += 3;
			l->line_base += 2;
		} else {
			return p;
		}
	}
}

static int
lex_dots(struct gql_lexer *l, struct gql_token *t)
{
	const char *p = l->p;

	if (l->end - p >= 3 && p[1] == '.' && p[2] == '.') {
		t->kind = GQL_TOKEN_SPREAD;
		l->p += 3;
		return 0;
	}
	if (l->end - p >= 2 && p[1] == '.')
		return fail_at(l, p,
		    "Syntax Error: Unexpected \"%.*s\", did you mean "
		    "\"...\"?",
		    p, 2);
	if (class_at(l, p + 1) == DIGIT)
		return fail_at(l, p,
		    "Syntax Error: Invalid number, expected digit before "
		    "\"%.*s\".",
		    p, 1);
	return fail_character(l, p, "Unexpected character:");
}

static int
lex_name(struct gql_lexer *l, struct gql_token *t)
{
	const char *p = l->p + 1;

	while (p < l->end && (classes[(unsigned char)*p] == LETTER ||
				 classes[(unsigned char)*p] == DIGIT))
		p++;
	t->kind = GQL_TOKEN_NAME;
	t->s = l->p;
	t->len = (uint32_t)(p - l->p);
	l->p = p;
	return 0;
}

static int
lex_other(struct gql_lexer *l, struct gql_token *t)
{
	if (l->p < l->end)
		return fail_character(l, l->p, "Unexpected character:");
	t->kind = GQL_TOKEN_EOF;
	return 0;
}

static int
lex_token(struct gql_lexer *l, struct gql_token *t)
{
	switch (class_at(l, l->p)) {
	case LETTER:
		return lex_name(l, t);
	case PUNCTUATOR:
		t->kind = (enum gql_token_kind) * l->p++;
		return 0;
	case DIGIT:
	case MINUS:
		return lex_number(l, t);
	case QUOTE:
		if (l->end - l->p >= 3 && l->p[1] == '"' && l->p[2] == '"')
			return lex_block_string(l, t);
		return lex_string(l, t);
	case DOT:
		return lex_dots(l, t);
	default:
		return lex_other(l, t);
	}
}

int
gql_lex(struct gql_lexer *l, struct gql_token *t)
{
	l->p = skip(l);
	t->at.line = l->line;
	t->at.column = (uint32_t)(l->p - l->line_base) + 1;
	t->s = NULL;
	t->len = 0;
	if (lex_token(l, t) == 0)
		return 0;
	t->kind = GQL_TOKEN_FAILED;
	l->p = l->end;
	return -1;
}
