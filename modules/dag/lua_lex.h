/* lua_lex.h - Lua's tokens, as far as finding references and the end of an
 * expression needs them. Not a parser: whether the text is Lua is for
 * lua_check.h to say.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_DAG_LUA_LEX_H
#define OPEN_DAG_LUA_LEX_H

#include "base/buf.h"

enum lex_kind {
	LEX_END,
	LEX_NAME,   /* keywords too */
	LEX_NUMBER, /* a numeral, as Lua's lexer takes it */
	LEX_TEXT,   /* a string, with its quotes or brackets */
	LEX_SYMBOL, /* one character, or .. ... :: == */
	LEX_BAD	    /* an unfinished string */
};

struct lex_token {
	enum lex_kind kind;
	const char *text;
	size_t len;
};

struct lexer {
	const char *at, *end;
};

struct lex_token lex_next(struct lexer *l); /* skips comments */
bool lex_is(const struct lex_token *t, const char *text);

/* Appends what a LEX_TEXT stands for. False if its escapes are broken. */
bool lex_text_value(const struct lex_token *t, struct buf *out);

#endif
