/* lua_json.c - JSON becomes Lua values and back.
 *
 * In:  null is nil; arrays carry a metatable that says so.
 * Out: a table is an array if it is marked or its keys are 1..n with n > 0, an
 *      object if all keys are strings (or there are none). The members of an
 *      object are sorted, so that equal results have equal texts. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "exec/lua_state.h"

#define DEPTH_MAX 100 /* below the parser's own limit */
#define PATH_MAX_ 200

static const char array_key; /* its address is the metatable's registry key */

static void
mark_array(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	lua_setmetatable(L, -2);
}

/* array(t): t, or a new table, which becomes a JSON array even when empty. */
static int
lua_array(lua_State *L)
{
	if (lua_isnoneornil(L, 1)) {
		lua_settop(L, 0);
		lua_newtable(L);
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	if (lua_getmetatable(L, 1)) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
		if (!lua_rawequal(L, -1, -2))
			return luaL_argerror(L, 1, "has a metatable already");
		lua_settop(L, 1);
	}
	mark_array(L);
	return 1;
}

void
lua_json_open(lua_State *L)
{
	lua_createtable(L, 0, 2);
	lua_pushliteral(L, "array");
	lua_setfield(L, -2, "__metatable");
	lua_pushliteral(L, "array");
	lua_setfield(L, -2, "__name");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
	lua_pushcfunction(L, lua_array);
	lua_setglobal(L, "array");
	lua_pushlightuserdata(L, NULL);
	lua_setglobal(L, "null");
}

/* --- in ------------------------------------------------------------------ */

static void
push_array(lua_State *L, const struct json *v)
{
	lua_createtable(L, (int)v->count, 0);
	for (uint32_t i = 0; i < v->count; i++) {
		if (v->items[i]->type == JSON_NULL)
			continue;
		lua_json_push(L, v->items[i]);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	mark_array(L);
}

static void
push_object(lua_State *L, const struct json *v)
{
	lua_createtable(L, 0, (int)v->count);
	for (uint32_t i = 0; i < v->count; i++) {
		lua_pushlstring(L, v->members[i].name, v->members[i].name_len);
		lua_json_push(L, v->members[i].value);
		lua_rawset(L, -3);
	}
}

void
lua_json_push(lua_State *L, const struct json *v)
{
	luaL_checkstack(L, 8, "nested too deep");
	switch (v->type) {
	case JSON_NULL:
		lua_pushnil(L);
		return;
	case JSON_FALSE:
	case JSON_TRUE:
		lua_pushboolean(L, v->type == JSON_TRUE);
		return;
	case JSON_INTEGER:
		lua_pushinteger(L, v->integer);
		return;
	case JSON_NUMBER:
		lua_pushnumber(L, v->number);
		return;
	case JSON_STRING:
		lua_pushlstring(L, v->string, v->count);
		return;
	case JSON_ARRAY:
		push_array(L, v);
		return;
	case JSON_OBJECT:
		push_object(L, v);
		return;
	}
}

void
lua_json_push_text(lua_State *L, struct lua_sandbox *s, const char *text,
    size_t len, const char *what)
{
	static const struct json_options options = {.allow_duplicates = true};
	const struct json *v = NULL;
	struct err e;
	int rc;

	lua_guard(s);
	mem_reset(&s->scratch);
	rc = json_parse(&s->scratch, text, len, &options, &v, &e);
	lua_unguard(s);
	if (rc != 0)
		luaL_error(L, "%s: %s", what, e.message);
	lua_json_push(L, v);
}

/* --- out ----------------------------------------------------------------- */

struct taker {
	lua_State *L;
	struct lua_sandbox *s;
	size_t left; /* bytes the text may still have, at least */
	unsigned depth;
	size_t path_len;
	char path[PATH_MAX_];
};

static const struct json *take(struct taker *, int index);

static int
refuse(struct taker *t, const char *code, const char *why)
{
	t->s->code = code;
	return luaL_error(t->L, "%s %s", t->path, why);
}

static void *
checked(struct taker *t, void *p)
{
	lua_unguard(t->s);
	if (p == NULL)
		refuse(t, "out_of_memory", "takes more memory than there is");
	return p;
}

static void
spend(struct taker *t, size_t bytes)
{
	if (bytes > t->left)
		refuse(t, "result_too_large", "makes the value too large");
	t->left -= bytes;
}

/* Adds a step to the path that errors show; returns what to cut it back to. */
static size_t
descend(struct taker *t, const char *name, lua_Integer index)
{
	size_t back = t->path_len, room = sizeof(t->path) - back;
	int n;

	if (name != NULL)
		n = snprintf(t->path + back, room, ".%s", name);
	else
		n = snprintf(t->path + back, room, "[%lld]", (long long)index);
	if (n > 0 && (size_t)n < room)
		t->path_len += (size_t)n;
	else
		t->path[back] = '\0';
	return back;
}

static void
ascend(struct taker *t, size_t back)
{
	t->path_len = back;
	t->path[back] = '\0';
}

static const struct json *
take_number(struct taker *t, int index)
{
	struct mem *m = &t->s->call->mem;
	lua_Number n = lua_tonumber(t->L, index);
	struct json *v;

	spend(t, 1);
	if (lua_isinteger(t->L, index)) {
		lua_guard(t->s);
		return checked(t, json_integer(m, lua_tointeger(t->L, index)));
	}
	if (!isfinite(n))
		refuse(t, "invalid_result", "is not a finite number");
	lua_guard(t->s);
	v = json_number(m, n);
	/* A float stays one: 3.0 is not written as 3. */
	if (v != NULL && n == floor(n) && fabs(n) < 1e15)
		v->text = mem_printf(m, "%.1f", n);
	return checked(t, v);
}

static const struct json *
take_string(struct taker *t, int index)
{
	struct json *v;
	size_t len;
	const char *text = lua_tolstring(t->L, index, &len);

	spend(t, len + 2);
	if (memchr(text, 0, len) != NULL || utf8_valid(text, len) != len)
		refuse(t, "invalid_result",
		    "is not text: it holds bytes that are not UTF-8");
	lua_guard(t->s);
	v = json_string(&t->s->call->mem, text, len);
	return checked(t, v);
}

static const struct json *
take_array(struct taker *t, int index, lua_Integer max)
{
	struct json *v;
	size_t back;

	spend(t, 2 * (size_t)max);
	lua_guard(t->s);
	v = json_array(&t->s->call->mem, (uint32_t)max);
	checked(t, v);
	for (lua_Integer i = 1; i <= max; i++) {
		back = descend(t, NULL, i);
		lua_rawgeti(t->L, index, i);
		v->items[i - 1] = take(t, lua_gettop(t->L));
		lua_pop(t->L, 1);
		ascend(t, back);
	}
	return v;
}

static int
by_name(const void *a, const void *b)
{
	const struct json_member *x = a, *y = b;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, n);

	if (order != 0)
		return order;
	return (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

static const struct json *
take_object(struct taker *t, int index, lua_Integer count)
{
	struct json_member *m;
	const struct json *name;
	struct json *v;
	size_t back;

	spend(t, 2 * (size_t)count);
	lua_guard(t->s);
	v = json_object(&t->s->call->mem, (uint32_t)count);
	checked(t, v);
	m = v->members;
	for (lua_pushnil(t->L); lua_next(t->L, index); m++) {
		name = take_string(t, lua_gettop(t->L) - 1);
		m->name = name->string;
		m->name_len = name->count;
		back = descend(t, m->name, 0);
		m->value = take(t, lua_gettop(t->L));
		lua_pop(t->L, 1);
		ascend(t, back);
	}
	lua_guard(t->s);
	if (count > 0)
		qsort(v->members, (size_t)count, sizeof(*m), by_name);
	lua_unguard(t->s);
	return v;
}

static bool
is_marked(lua_State *L, int index)
{
	bool marked;

	if (!lua_getmetatable(L, index))
		return false;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
	marked = lua_rawequal(L, -1, -2);
	lua_pop(L, 2);
	return marked;
}

static const struct json *
take_table(struct taker *t, int index)
{
	lua_Integer count = 0, integers = 0, strings = 0, max = 0, i;
	bool marked = is_marked(t->L, index);

	for (lua_pushnil(t->L); lua_next(t->L, index); lua_pop(t->L, 1)) {
		count++;
		strings += lua_type(t->L, -2) == LUA_TSTRING;
		i = lua_isinteger(t->L, -2) ? lua_tointeger(t->L, -2) : 0;
		integers += i > 0;
		max = i > max ? i : max;
	}
	spend(t, 2);
	if (integers == count && (marked || (max == count && count > 0))) {
		if (max > 2 * count + 64)
			refuse(t, "invalid_result",
			    "is an array with too many holes");
		return take_array(t, index, max);
	}
	if (strings == count && !marked)
		return take_object(t, index, count);
	refuse(t, "invalid_result",
	    "is neither a list (keys 1 to n) nor an object (keys are strings)");
	return NULL;
}

static const struct json *
take(struct taker *t, int index)
{
	const struct json *v = NULL;
	int type = lua_type(t->L, index);

	if (++t->depth > DEPTH_MAX)
		refuse(t, "invalid_result", "is nested too deep or a cycle");
	luaL_checkstack(t->L, 8, "nested too deep");
	if (type == LUA_TNIL || (type == LUA_TLIGHTUSERDATA &&
				    lua_touserdata(t->L, index) == NULL)) {
		spend(t, 1);
		lua_guard(t->s);
		v = checked(t, json_null(&t->s->call->mem));
	} else if (type == LUA_TBOOLEAN) {
		spend(t, 1);
		lua_guard(t->s);
		v = checked(
		    t, json_bool(&t->s->call->mem, lua_toboolean(t->L, index)));
	} else if (type == LUA_TNUMBER)
		v = take_number(t, index);
	else if (type == LUA_TSTRING)
		v = take_string(t, index);
	else if (type == LUA_TTABLE)
		v = take_table(t, index);
	else
		refuse(t, "invalid_result",
		    type == LUA_TFUNCTION ? "is a function, which JSON has not"
					  : "is nothing that JSON has");
	t->depth--;
	return v;
}

const struct json *
lua_json_take(lua_State *L, struct lua_sandbox *s, int index, size_t limit)
{
	struct taker t = {.L = L, .s = s, .left = limit, .path = "value"};

	t.path_len = strlen(t.path);
	return take(&t, lua_absindex(L, index));
}
