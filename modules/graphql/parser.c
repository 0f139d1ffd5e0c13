/* parser.c - documents: which definition stands where, limits, and how the
 * parser fails. Recursive descent over one token; the rules stand above the
 * functions (edition September 2025, appendix C). */
#include "graphql/parser.h"

#include <stdio.h>

#include "base/utf8.h"

/* Faults ------------------------------------------------------------------ */

static void
stop(struct gql_parser *p)
{
	p->failed = true;
	p->token.kind = GQL_TOKEN_FAILED;
	p->token.s = NULL;
	p->token.len = 0;
}

void
gql_syntax(struct gql_parser *p, struct gql_place at, const char *text)
{
	if (!p->failed)
		gql_fail(p->lexer.error, "graphql_syntax", at,
		    "Syntax Error: %s", text);
	stop(p);
}

void
gql_exceeded(struct gql_parser *p, const char *code, struct gql_place at,
    const char *fmt, uint32_t limit)
{
	char text[200];

	snprintf(text, sizeof(text), fmt, limit);
	if (!p->failed)
		gql_fail(p->lexer.error, code, at, "%s", text);
	stop(p);
}

/* Room for `Int "…"` with a token's text, which may be long. */
#define DESCRIPTION 100

static const char *
kind_name(enum gql_token_kind kind, char text[4])
{
	static const char *const names[] = {"<EOF>", "Name", "Int", "Float",
	    "String", "BlockString", "\"...\"", ""};

	if (kind <= GQL_TOKEN_FAILED)
		return names[kind];
	text[0] = text[2] = '"';
	text[1] = (char)kind;
	text[3] = '\0';
	return text;
}

static const char *
describe(const struct gql_token *t, char text[DESCRIPTION])
{
	char kind[4];
	size_t len = t->len;

	if (t->s == NULL)
		snprintf(text, DESCRIPTION, "%s", kind_name(t->kind, kind));
	else if (len < DESCRIPTION - 20)
		snprintf(text, DESCRIPTION, "%s \"%.*s\"",
		    kind_name(t->kind, kind), (int)len, t->s);
	else
		snprintf(text, DESCRIPTION, "%s \"%.10s…\"",
		    kind_name(t->kind, kind),
		    t->kind == GQL_TOKEN_STRING ||
			    t->kind == GQL_TOKEN_BLOCK_STRING
			? ""
			: t->s);
	return text;
}

void
gql_unexpected(struct gql_parser *p)
{
	char text[DESCRIPTION + 20], found[DESCRIPTION];

	snprintf(
	    text, sizeof(text), "Unexpected %s.", describe(&p->token, found));
	gql_syntax(p, p->token.at, text);
}

static void
expected(struct gql_parser *p, const char *what)
{
	char text[DESCRIPTION + 60], found[DESCRIPTION];

	snprintf(text, sizeof(text), "Expected %s, found %s.", what,
	    describe(&p->token, found));
	gql_syntax(p, p->token.at, text);
}

void *
gql_node(struct gql_parser *p, size_t size)
{
	void *node = mem_alloc(p->lexer.mem, size);

	if (node != NULL)
		return node;
	if (!p->failed)
		gql_fail(p->lexer.error, "out_of_memory", p->token.at,
		    "Out of memory.");
	stop(p);
	memset(&p->scratch, 0, sizeof(p->scratch));
	return &p->scratch;
}

bool
gql_enter(struct gql_parser *p)
{
	if (p->depth++ < p->limits.depth)
		return true;
	gql_exceeded(p, "too_deep", p->token.at,
	    "Brackets are nested more than %u deep; the limit is that.",
	    p->limits.depth);
	return false;
}

void
gql_leave(struct gql_parser *p)
{
	p->depth--;
}

/* Tokens ------------------------------------------------------------------ */

void
gql_advance(struct gql_parser *p)
{
	if (p->failed)
		return;
	if (gql_lex(&p->lexer, &p->token) != 0) {
		stop(p);
		return;
	}
	if (p->token.kind != GQL_TOKEN_EOF &&
	    p->document->tokens++ >= p->limits.tokens)
		gql_exceeded(p, "too_many_tokens", p->token.at,
		    "The document has more than %u tokens.", p->limits.tokens);
}

bool
gql_accept(struct gql_parser *p, enum gql_token_kind kind)
{
	if (p->token.kind != kind)
		return false;
	gql_advance(p);
	return true;
}

void
gql_expect(struct gql_parser *p, enum gql_token_kind kind)
{
	char text[4];

	if (!gql_accept(p, kind))
		expected(p, kind_name(kind, text));
}

bool
gql_closed(struct gql_parser *p, enum gql_token_kind kind)
{
	return p->failed || gql_accept(p, kind);
}

bool
gql_more(struct gql_parser *p, enum gql_token_kind kind)
{
	return !p->failed && gql_accept(p, kind);
}

bool
gql_at_string(const struct gql_parser *p)
{
	return p->token.kind == GQL_TOKEN_STRING ||
	       p->token.kind == GQL_TOKEN_BLOCK_STRING;
}

bool
gql_token_is(const struct gql_token *t, const char *word, size_t len)
{
	return t->kind == GQL_TOKEN_NAME && t->len == len &&
	       memcmp(t->s, word, len) == 0;
}

bool
gql_accept_word(struct gql_parser *p, const char *word)
{
	if (!gql_token_is(&p->token, word, strlen(word)))
		return false;
	gql_advance(p);
	return true;
}

void
gql_expect_word(struct gql_parser *p, const char *word)
{
	char text[20];

	if (gql_accept_word(p, word))
		return;
	snprintf(text, sizeof(text), "\"%s\"", word);
	expected(p, text);
}

/* Documents --------------------------------------------------------------- */

/* ExecutableDefinition, behind its description; false: it is none. */
static bool
read_executable(struct gql_parser *p, struct gql_definition *d)
{
	if (gql_at_word(p, "query") || gql_at_word(p, "mutation") ||
	    gql_at_word(p, "subscription")) {
		gql_read_operation(p, d);
		return true;
	}
	if (gql_at_word(p, "fragment")) {
		gql_read_fragment(p, d);
		return true;
	}
	return false;
}

static void
read_described(struct gql_parser *p, struct gql_definition *d)
{
	if (gql_read_type_system(p, d) || read_executable(p, d))
		return;
	if (p->token.kind == GQL_TOKEN_BRACE_L)
		gql_syntax(p, d->at,
		    "Unexpected description, descriptions are not supported "
		    "on shorthand queries.");
	else if (p->token.kind == GQL_TOKEN_NAME)
		gql_syntax(p, d->at,
		    "Unexpected description, only GraphQL definitions support "
		    "descriptions.");
	else
		gql_unexpected(p);
}

/* Definition: Description? (ExecutableDefinition | TypeSystemDefinition) |
 * TypeSystemExtension; a SelectionSet alone is a query. */
static struct gql_definition *
read_definition(struct gql_parser *p)
{
	struct gql_definition *d = gql_node(p, sizeof(*d));

	d->at = p->token.at;
	if (p->token.kind == GQL_TOKEN_BRACE_L) {
		d->shorthand = true;
		gql_read_operation(p, d);
	} else if (gql_at_string(p)) {
		d->description = gql_read_description(p);
		read_described(p, d);
	} else if (gql_accept_word(p, "extend")) {
		d->extension = true;
		if (!gql_read_type_system(p, d))
			gql_unexpected(p);
	} else if (!gql_read_type_system(p, d) && !read_executable(p, d)) {
		gql_unexpected(p);
	}
	return d;
}

static void
read_document(struct gql_parser *p)
{
	struct gql_definition **last = &p->document->definitions;

	do {
		struct gql_definition *d = read_definition(p);

		*last = d;
		last = &d->next;
		p->document->count++;
		p->document->operations += d->kind == GQL_DEF_OPERATION;
		p->document->fragments += d->kind == GQL_DEF_FRAGMENT;
	} while (!gql_closed(p, GQL_TOKEN_EOF));
}

/* Limits and checks of the whole text ------------------------------------- */

static void
set_limits(struct gql_limits *to, const struct gql_limits *from)
{
	static const struct gql_limits none;

	if (from == NULL)
		from = &none;
	to->bytes = from->bytes > 0 ? from->bytes : 1u << 20;
	to->tokens = from->tokens > 0 ? from->tokens : 100000;
	to->depth = from->depth > 0 ? from->depth : 100;
	to->fields = from->fields > 0 ? from->fields : 20000;
	to->aliases = from->aliases > 0 ? from->aliases : 1000;
	if (to->depth > GQL_DEPTH_MAX)
		to->depth = GQL_DEPTH_MAX;
	if (to->bytes > INT32_MAX)
		to->bytes = INT32_MAX;
}

static int
check_text(const struct gql_parser *p, const char *text, size_t len,
    struct gql_error *e)
{
	size_t valid;

	if (len > p->limits.bytes)
		return gql_fail(e, "document_too_large",
		    (struct gql_place){.line = 1, .column = 1},
		    "The document has %zu bytes; the limit is %zu.", len,
		    p->limits.bytes);
	valid = utf8_valid(text, len);
	if (valid < len)
		return gql_fail(e, "invalid_utf8", gql_place_at(text, valid),
		    "The document is not valid UTF-8.");
	return 0;
}

static int
start(struct gql_parser *p, struct mem *m, const char *text, size_t len,
    const struct gql_limits *limits, struct gql_error *e)
{
	p->depth = 0;
	p->failed = false;
	set_limits(&p->limits, limits);
	if (check_text(p, text, len, e) != 0)
		return -1;
	gql_lexer_create(&p->lexer, m, text, len, e);
	p->token = (struct gql_token){.at = {.line = 1, .column = 1}};
	p->document = gql_node(p, sizeof(*p->document));
	p->document->text = text;
	p->document->len = len;
	gql_advance(p);
	return 0;
}

int
gql_parse(struct mem *m, const char *text, size_t len,
    const struct gql_limits *limits, struct gql_document **out,
    struct gql_error *e)
{
	struct gql_parser p;

	if (start(&p, m, text, len, limits, e) != 0)
		return -1;
	read_document(&p);
	if (p.failed)
		return -1;
	*out = p.document;
	return 0;
}

int
gql_parse_value(struct mem *m, const char *text, size_t len, bool constant,
    struct gql_value **out, struct gql_error *e)
{
	struct gql_parser p;
	struct gql_value *value;

	if (start(&p, m, text, len, NULL, e) != 0)
		return -1;
	value = gql_read_value(&p, constant);
	gql_expect(&p, GQL_TOKEN_EOF);
	if (p.failed)
		return -1;
	*out = value;
	return 0;
}
