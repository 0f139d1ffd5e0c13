/* lua_arena.h - all memory of one Lua state, dropped whole.
 *
 * Owner:    a struct lua_sandbox, on its thread.
 * Lifetime: one state: lua_arena_reset forgets everything at once, whatever
 *           the state looked like, so a state need not be closed.
 * Bounded:  at most `limit` bytes are in use; freed blocks are used again by
 *           size, so at most about twice as much is ever mapped.
 */
#ifndef OPEN_EXEC_LUA_ARENA_H
#define OPEN_EXEC_LUA_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#define LUA_ARENA_CLASSES 60

struct lua_arena_free;
struct lua_arena_big;

struct lua_arena {
	char *base;
	size_t size, bump; /* bytes of the region, handed out of it */
	size_t limit, in_use;
	struct lua_arena_free *classes[LUA_ARENA_CLASSES];
	struct lua_arena_big *bigs; /* mappings of their own */
};

/* False: the region can't be mapped. */
bool lua_arena_create(struct lua_arena *, size_t limit);
void lua_arena_reset(struct lua_arena *);
/* The same, and nothing of it can be read afterwards. */
void lua_arena_wipe(struct lua_arena *);
void lua_arena_destroy(struct lua_arena *);

/* As lua_Alloc: p NULL: a new block; size 0: free. Shrinking never fails. */
void *lua_arena_realloc(
    struct lua_arena *, void *p, size_t old_size, size_t size);

#endif
