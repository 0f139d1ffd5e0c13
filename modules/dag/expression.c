/* expression.c - walks over Lua's tokens. */
#include "dag/expression.h"

#include <string.h>

#include "base/utf8.h"
#include "dag/lua_lex.h"

/* Parts ------------------------------------------------------------------- */

/* Where the }} of the expression at p stands; NULL: nowhere. */
static const char *
expression_end(const char *p, const char *end)
{
	struct lexer l = {p, end};
	size_t depth = 0;

	for (;;) {
		struct lex_token t = lex_next(&l);

		if (t.kind == LEX_END || t.kind == LEX_BAD)
			return NULL;
		if (lex_is(&t, "{"))
			depth++;
		if (!lex_is(&t, "}"))
			continue;
		if (depth > 0)
			depth--;
		else
			return l.at < end && *l.at == '}' ? t.text : NULL;
	}
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct part
take_expression(struct parts *p)
{
	const char *s = p->at + 3, *e = expression_end(s, p->end);
	struct part part = {PART_UNFINISHED, p->at, 0};

	if (e == NULL) {
		part.len = (size_t)(p->end - p->at);
		p->at = p->end;
		return part;
	}
	p->at = e + 2;
	while (s < e && is_blank(*s))
		s++;
	while (e > s && is_blank(e[-1]))
		e--;
	part.kind = PART_EXPRESSION;
	part.text = s;
	part.len = (size_t)(e - s);
	return part;
}

static bool
starts(const char *s, const char *end, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(end - s) >= n && memcmp(s, with, n) == 0;
}

struct part
part_next(struct parts *p)
{
	struct part part = {PART_END, p->at, 0};
	const char *s = p->at;

	if (s >= p->end)
		return part;
	if (starts(s, p->end, "${{"))
		return take_expression(p);
	part.kind = PART_LITERAL;
	if (starts(s, p->end, "$${{")) {
		part.text = s + 1;
		part.len = 3;
		p->at = s + 4;
		return part;
	}
	do {
		s = memchr(s + 1, '$', (size_t)(p->end - s - 1));
	} while (s != NULL && !starts(s, p->end, "${{") &&
		 !starts(s, p->end, "$${{"));
	if (s == NULL)
		s = p->end;
	part.len = (size_t)(s - p->at);
	p->at = s;
	return part;
}

enum text_kind
text_kind(const char *text, size_t len)
{
	struct parts p = {text, text + len};
	size_t expressions = 0, parts = 0;

	for (;;) {
		struct part part = part_next(&p);

		if (part.kind == PART_END)
			break;
		parts++;
		expressions += part.kind != PART_LITERAL;
	}
	if (expressions == 0)
		return TEXT_STATIC;
	return parts == 1 ? TEXT_EXPRESSION : TEXT_MIXED;
}

/* References -------------------------------------------------------------- */

struct scanner {
	struct lexer lexer;
	struct lex_token now;
	struct buf name;
};

static void
advance(struct scanner *s)
{
	s->now = lex_next(&s->lexer);
}

/* .NAME or ["NAME"] behind the current place: its text in s->name, and moves
 * behind it. Anything else: false, and the place is where it stopped. */
static bool
take_member(struct scanner *s)
{
	bool good;

	buf_reset(&s->name);
	if (lex_is(&s->now, ".")) {
		advance(s);
		if (s->now.kind != LEX_NAME)
			return false;
		buf_put(&s->name, s->now.text, s->now.len);
		advance(s);
		return true;
	}
	if (!lex_is(&s->now, "["))
		return false;
	advance(s);
	if (s->now.kind != LEX_TEXT)
		return false;
	good = lex_text_value(&s->now, &s->name);
	advance(s);
	if (!good || !lex_is(&s->now, "]"))
		return false;
	advance(s);
	return true;
}

/* The scanner stands behind the name "nodes". */
static int
take_reference(
    struct scanner *s, struct mem *m, reference_found found, void *ctx)
{
	const char *name, *field = "";
	size_t len;

	if (!take_member(s))
		return buf_failed(&s->name) ? -1 : 0;
	len = s->name.len;
	name = mem_strndup(m, s->name.data, len);
	if (take_member(s))
		field = s->name.data;
	if (name == NULL || buf_failed(&s->name))
		return -1;
	return found(ctx, name, len, field);
}

int
expression_references(const char *code, size_t len, struct mem *m,
    reference_found found, void *ctx)
{
	struct scanner s = {.lexer = {code, code + len}};
	bool field = false; /* a name behind . or : is not a variable */
	int ret = 0;

	buf_create(&s.name, 0);
	advance(&s);
	while (s.now.kind != LEX_END && ret == 0) {
		bool nodes =
		    !field && s.now.kind == LEX_NAME && lex_is(&s.now, "nodes");

		field = lex_is(&s.now, ".") || lex_is(&s.now, ":");
		advance(&s);
		if (nodes)
			ret = take_reference(&s, m, found, ctx);
	}
	buf_free(&s.name);
	return ret;
}

/* Paths ------------------------------------------------------------------- */

static bool
read_index(const struct lex_token *t, uint32_t *index)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t->len; i++) {
		if (t->text[i] < '0' || t->text[i] > '9' || n > UINT32_MAX)
			return false;
		n = n * 10 + (uint64_t)(t->text[i] - '0');
	}
	*index = (uint32_t)n;
	return n >= 1 && n <= UINT32_MAX;
}

/* [3] */
static bool
take_index(struct scanner *s, struct path_step *step)
{
	struct scanner ahead = *s;

	if (!lex_is(&s->now, "["))
		return false;
	advance(&ahead);
	if (ahead.now.kind != LEX_NUMBER ||
	    !read_index(&ahead.now, &step->index))
		return false;
	advance(&ahead);
	if (!lex_is(&ahead.now, "]"))
		return false;
	advance(&ahead);
	s->lexer = ahead.lexer;
	s->now = ahead.now;
	step->kind = STEP_INDEX;
	return true;
}

static bool
take_name(struct scanner *s, struct mem *m, enum template_step_kind kind,
    struct path_step *step)
{
	const char *data = s->name.data;
	size_t len = s->name.len;

	if (len > UINT32_MAX / 2 || data == NULL ||
	    utf8_valid(data, len) != len || memchr(data, '\0', len) != NULL)
		return false;
	step->kind = kind;
	step->name = mem_strndup(m, data, len);
	step->name_len = (uint32_t)len;
	return step->name != NULL;
}

/* path := NAME { '.' NAME | '[' string ']' | '[' integer ']' } */
static uint32_t
read_path(struct scanner *s, struct mem *m, struct path_step *steps)
{
	uint32_t n = 1;

	advance(s);
	if (s->now.kind != LEX_NAME)
		return 0;
	buf_put(&s->name, s->now.text, s->now.len);
	if (!take_name(s, m, STEP_ROOT, &steps[0]))
		return 0;
	advance(s);
	while (s->now.kind != LEX_END) {
		if (n == PATH_STEPS_MAX)
			return 0;
		if (!take_index(s, &steps[n]) &&
		    (!take_member(s) ||
			!take_name(s, m, STEP_MEMBER, &steps[n])))
			return 0;
		n++;
	}
	return n;
}

uint32_t
expression_path(const char *code, size_t len, struct mem *m,
    struct path_step steps[PATH_STEPS_MAX])
{
	struct scanner s = {.lexer = {code, code + len}};
	uint32_t n;

	memset(steps, 0, PATH_STEPS_MAX * sizeof(*steps));
	buf_create(&s.name, 0);
	n = read_path(&s, m, steps);
	buf_free(&s.name);
	return n;
}
