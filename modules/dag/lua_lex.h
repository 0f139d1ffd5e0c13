/* lua_lex.h - Lua's tokens, as far as finding references and the end of an
 * expression needs them. Not a parser: whether the text is Lua is for
 * lua_check.h to say.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_DAG_LUA_LEX_H
#define OPEN_DAG_LUA_LEX_H

#include "base/buf.h"

enum lua_token_kind {
	LUA_END,
	LUA_NAME,   /* keywords too */
	LUA_NUMBER, /* a numeral, as Lua's lexer takes it */
	LUA_TEXT,   /* a string, with its quotes or brackets */
	LUA_SYMBOL, /* one character, or .. ... :: == */
	LUA_BAD	    /* an unfinished string */
};

struct lua_token {
	enum lua_token_kind kind;
	const char *text;
	size_t len;
};

struct lua_lexer {
	const char *at, *end;
};

struct lua_token lua_token_next(struct lua_lexer *l); /* skips comments */
bool lua_is(const struct lua_token *t, const char *text);

/* Appends what a LUA_TEXT stands for. False if its escapes are broken. */
bool lua_text_value(const struct lua_token *t, struct buf *out);

#endif
