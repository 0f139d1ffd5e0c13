/* lua_check.h - is it Lua? Compiles text, never runs it.
 *
 * Owner:    lua_checker_new … lua_checker_free around one document.
 * Process:  private, one thread at a time. Its memory is bounded (16 MiB), so a
 *           text made to exhaust the compiler is only refused.
 */
#ifndef OPEN_DAG_LUA_CHECK_H
#define OPEN_DAG_LUA_CHECK_H

#include "base/err.h"

struct lua_checker;

struct lua_checker *lua_checker_new(void); /* NULL: out of memory */
void lua_checker_free(struct lua_checker *c);

/* 0, or -1 and e with Lua's complaint ("invalid_expression"). An expression is
 * exactly one; a chunk is any list of statements. */
int lua_check_expression(
    struct lua_checker *c, const char *text, size_t len, struct err *e);
int lua_check_chunk(
    struct lua_checker *c, const char *text, size_t len, struct err *e);

#endif
