/* lua_check.c - luaL_loadbufferx in text mode; the allocator counts. */
#include "dag/lua_check.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "dag/lua_lex.h"

#define MEMORY_MAX ((size_t)16 << 20)

struct lua_checker {
	lua_State *lua;
	size_t used;
	struct buf text;
};

static void *
allocate(void *ctx, void *p, size_t old, size_t size)
{
	struct lua_checker *c = ctx;
	void *fresh;

	if (p == NULL)
		old = 0; /* then it is a kind of object */
	if (size == 0) {
		free(p);
		c->used -= old;
		return NULL;
	}
	if (size > old && c->used + (size - old) > MEMORY_MAX)
		return NULL;
	/* Lua counts on shrinking never to fail. */
	fresh = size > old ? mem_heap_grow(p, size) : realloc(p, size);
	if (fresh != NULL)
		c->used += size - old;
	return fresh;
}

struct lua_checker *
lua_checker_new(void)
{
	struct lua_checker *c = mem_heap(sizeof(*c));

	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	buf_create(&c->text, 0);
	c->lua = lua_newstate(allocate, c);
	if (c->lua == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
lua_checker_free(struct lua_checker *c)
{
	if (c == NULL)
		return;
	lua_close(c->lua);
	buf_free(&c->text);
	free(c);
}

/* Lua says "x:3: unexpected symbol near 'y'"; x is our chunk name. */
static int
complain(struct lua_checker *c, int status, bool with_line, struct err *e)
{
	const char *why = lua_tostring(c->lua, -1), *colon;

	if (status == LUA_ERRMEM)
		return err_memory(e);
	if (why == NULL)
		why = "syntax error";
	if (strncmp(why, "x:", 2) == 0) {
		colon = strchr(why + 2, ':');
		if (with_line)
			return err_set(
			    e, "invalid_expression", "line %s", why + 2);
		if (colon != NULL)
			why = colon + 2;
	}
	return err_set(e, "invalid_expression", "%s", why);
}

static int
load(struct lua_checker *c, const char *text, size_t len, bool with_line,
    struct err *e)
{
	int status = luaL_loadbufferx(c->lua, text, len, "=x", "t"), ret = 0;

	if (status != LUA_OK)
		ret = complain(c, status, with_line, e);
	lua_settop(c->lua, 0);
	return ret;
}

static int
load_between(struct lua_checker *c, const char *before, const char *text,
    size_t len, const char *after, struct err *e)
{
	buf_reset(&c->text);
	buf_puts(&c->text, before);
	buf_put(&c->text, text, len);
	buf_puts(&c->text, after);
	if (buf_failed(&c->text))
		return err_memory(e);
	return load(c, c->text.data, c->text.len, false, e);
}

/* No closing parenthesis but of one that was opened here. */
static bool
is_balanced(const char *text, size_t len)
{
	struct lexer l = {text, text + len};
	size_t depth = 0;

	for (;;) {
		struct lex_token t = lex_next(&l);

		if (t.kind == LEX_END)
			return true;
		if (lex_is(&t, "("))
			depth++;
		else if (lex_is(&t, ")") && depth-- == 0)
			return false;
	}
}

/* Parentheses refuse "a, b" and "a;", which return alone would take; what
 * could leave them, as in "1) + (2", is seen before. The complaint is that
 * without them: it shows nothing that the author did not write. */
int
lua_check_expression(
    struct lua_checker *c, const char *text, size_t len, struct err *e)
{
	if (is_balanced(text, len) &&
	    load_between(c, "return (", text, len, "\n)", e) == 0)
		return 0;
	if (load_between(c, "return ", text, len, "\n", e) != 0)
		return -1;
	return err_set(e, "invalid_expression", "it is not one expression");
}

int
lua_check_chunk(
    struct lua_checker *c, const char *text, size_t len, struct err *e)
{
	return load(c, text, len, true, e);
}
