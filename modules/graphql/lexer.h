/* lexer.h - GraphQL's tokens (edition September 2025, section 2.1), one after
 * another.
 *
 * Owner:    the caller; texts of tokens point into the source or, where
 *           escapes or indents were undone, into mem.
 * Text:     must be valid UTF-8 (gql_parse checks it).
 * Fails:    with a place; the token is then GQL_TOKEN_FAILED, and so is every
 *           later one.
 */
#ifndef OPEN_GRAPHQL_LEXER_H
#define OPEN_GRAPHQL_LEXER_H

#include "graphql/ast.h"

/* Punctuators are their character. */
enum gql_token_kind {
	GQL_TOKEN_EOF,
	GQL_TOKEN_NAME,
	GQL_TOKEN_INT,
	GQL_TOKEN_FLOAT,
	GQL_TOKEN_STRING,
	GQL_TOKEN_BLOCK_STRING,
	GQL_TOKEN_SPREAD,
	GQL_TOKEN_FAILED,
	GQL_TOKEN_BANG = '!',
	GQL_TOKEN_DOLLAR = '$',
	GQL_TOKEN_AMP = '&',
	GQL_TOKEN_PAREN_L = '(',
	GQL_TOKEN_PAREN_R = ')',
	GQL_TOKEN_COLON = ':',
	GQL_TOKEN_EQUALS = '=',
	GQL_TOKEN_AT = '@',
	GQL_TOKEN_BRACKET_L = '[',
	GQL_TOKEN_BRACKET_R = ']',
	GQL_TOKEN_BRACE_L = '{',
	GQL_TOKEN_PIPE = '|',
	GQL_TOKEN_BRACE_R = '}'
};

struct gql_token {
	enum gql_token_kind kind;
	struct gql_place at;
	const char *s; /* a name, a number as written, a string's value */
	uint32_t len;
};

struct gql_lexer {
	const char *text, *p, *end;
	/* Such that a column is p - line_base + 1: the line's start, plus what
	 * its characters have more bytes than UTF-16 units. */
	const char *line_base;
	uint32_t line;
	struct mem *mem;
	struct gql_error *error;
};

/* len at most INT32_MAX. */
void gql_lexer_create(struct gql_lexer *, struct mem *, const char *text,
    size_t len, struct gql_error *);

/* The next token; -1 with the lexer's error filled. At the end it gives EOF
 * again and again. */
int gql_lex(struct gql_lexer *, struct gql_token *);

/* The place of an offset in a text, counted from its start: for errors. */
struct gql_place gql_place_at(const char *text, size_t offset);

/* The value of a block string: raw stands between its quotes. NULL: m failed.
 * Not NUL-terminated. */
const char *gql_block_value(
    struct mem *m, const char *raw, size_t len, uint32_t *value_len);

/* The value of a quoted string that has escapes: raw stands between its
 * quotes. NULL: m failed, or *bad is the offset of an escape that is none (and
 * SIZE_MAX otherwise). */
const char *gql_string_value(struct mem *m, const char *raw, size_t len,
    uint32_t *value_len, size_t *bad);

#endif
