/* lua_scope.c - the globals of a script: Lua's libraries without what reaches
 * outside, and context, nodes, execution, print.
 *
 * context, item and results are parsed when a script first looks at them. nodes and
 * its entries are userdata, so a script can't hide one or invent one. */
#include <string.h>

#include "exec/lua_state.h"

struct node_ref {
	uint32_t node;
	bool parsed; /* the result is the user value */
};

static const char node_key, nodes_key; /* metatables, by address */

/* --- which nodes may be seen ---------------------------------------------- */

static const uint32_t *
dependencies(const struct plan *p, uint32_t node, uint32_t *count)
{
	const uint32_t *index = plan_at(p, p->dependency_index);
	const uint32_t *all = plan_at(p, p->dependencies);

	*count = index[node + 1] - index[node];
	return all + index[node];
}

/* Marks all ancestors of the call's node; NULL: out of memory. */
static uint64_t *
find_ancestors(struct op_call *call)
{
	const struct plan *p = call->scope.plan;
	uint64_t *seen = mem_array(&call->mem, p->node_count / 64 + 1, 8);
	uint32_t *stack = mem_array(&call->mem, p->node_count, 4);
	uint32_t top = 0, count;
	const uint32_t *d = dependencies(p, call->node, &count);

	if (seen == NULL || stack == NULL)
		return NULL;
	for (;;) {
		for (uint32_t i = 0; i < count; i++) {
			if (seen[d[i] / 64] >> (d[i] % 64) & 1)
				continue;
			seen[d[i] / 64] |= UINT64_C(1) << (d[i] % 64);
			stack[top++] = d[i];
		}
		if (top == 0)
			return seen;
		d = dependencies(p, stack[--top], &count);
	}
}

static const uint64_t *
ancestors(lua_State *L, struct lua_sandbox *s)
{
	if (s->ancestors == NULL) {
		lua_guard(s);
		s->ancestors = find_ancestors(s->call);
		lua_unguard(s);
		if (s->ancestors == NULL)
			luaL_error(L, "not enough memory");
	}
	return s->ancestors;
}

static bool
visible(lua_State *L, struct lua_sandbox *s, uint32_t node)
{
	uint32_t count;
	const uint32_t *d =
	    dependencies(s->call->scope.plan, s->call->node, &count);

	if (count <= 16)
		for (uint32_t i = 0; i < count; i++)
			if (d[i] == node)
				return true;
	return ancestors(L, s)[node / 64] >> (node % 64) & 1;
}

/* --- nodes.NAME ------------------------------------------------------------ */

static int
node_result(lua_State *L, struct node_ref *ref)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	const struct scope *scope = &s->call->scope;
	const char *text;
	size_t len = 0;

	if (!ref->parsed) {
		lua_guard(s);
		text = scope->result(scope, ref->node, &len);
		lua_unguard(s);
		if (text == NULL)
			lua_pushnil(L);
		else
			lua_json_push_text(L, s, text, len,
			    plan_node_name(scope->plan, ref->node));
		lua_setiuservalue(L, 1, 1);
		ref->parsed = true;
	}
	lua_getiuservalue(L, 1, 1);
	return 1;
}

static int
node_index(lua_State *L)
{
	struct node_ref *ref = lua_touserdata(L, 1);
	struct lua_sandbox *s = lua_sandbox_of(L);
	const struct scope *scope = &s->call->scope;
	const char *key = luaL_checkstring(L, 2), *status;

	if (strcmp(key, "result") == 0)
		return node_result(L, ref);
	if (strcmp(key, "status") != 0)
		return luaL_error(L,
		    "nodes.%s.%s: a node has result and status",
		    plan_node_name(scope->plan, ref->node), key);
	lua_guard(s);
	status = scope->status(scope, ref->node);
	lua_unguard(s);
	lua_pushstring(L, status);
	return 1;
}

/* Pushes the entry of a node, made at its first use; nodes at index 1. */
static void
push_node(lua_State *L, uint32_t node)
{
	struct node_ref *ref;

	lua_getiuservalue(L, 1, 1);
	if (lua_rawgeti(L, -1, node) == LUA_TNIL) {
		lua_pop(L, 1);
		ref = lua_newuserdatauv(L, sizeof(*ref), 1);
		ref->node = node;
		ref->parsed = false;
		lua_rawgetp(L, LUA_REGISTRYINDEX, &node_key);
		lua_setmetatable(L, -2);
		lua_pushvalue(L, -1);
		lua_rawseti(L, -3, node);
	}
	lua_remove(L, -2);
}

static int
nodes_index(lua_State *L)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	const struct plan *p = s->call->scope.plan;
	size_t len;
	const char *name = luaL_checklstring(L, 2, &len);
	uint32_t node = plan_find(p, name, len);

	if (node == PLAN_NONE)
		return luaL_error(L, "there is no node '%s'", name);
	if (!visible(L, s, node))
		return luaL_error(L, "node '%s' is not an ancestor of '%s'",
		    name, plan_node_name(p, s->call->node));
	push_node(L, node);
	return 1;
}

/* Iterator: nodes, name or nil → the next ancestor in the document's order. */
static int
nodes_next(lua_State *L)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	const struct plan *p = s->call->scope.plan;
	const uint64_t *seen = ancestors(L, s);
	uint32_t at = 0;
	size_t len;
	const char *name;

	if (!lua_isnoneornil(L, 2)) {
		name = luaL_checklstring(L, 2, &len);
		at = plan_find(p, name, len);
		if (at == PLAN_NONE)
			return luaL_error(L, "there is no node '%s'", name);
		at++;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &nodes_key);
	if (lua_touserdata(L, 1) == NULL || !lua_getmetatable(L, 1) ||
	    !lua_rawequal(L, -1, -2))
		return luaL_argerror(L, 1, "must be nodes");
	while (at < p->node_count && !(seen[at / 64] >> (at % 64) & 1))
		at++;
	if (at >= p->node_count)
		return lua_pushnil(L), 1;
	lua_pushstring(L, plan_node_name(p, at));
	push_node(L, at);
	return 2;
}

static int
nodes_pairs(lua_State *L)
{
	lua_pushcfunction(L, nodes_next);
	lua_pushvalue(L, 1);
	return 2;
}

static void
protect(lua_State *L, const char *name)
{
	lua_pushstring(L, name);
	lua_setfield(L, -2, "__metatable");
	lua_pushstring(L, name);
	lua_setfield(L, -2, "__name");
}

static void
open_nodes(lua_State *L)
{
	lua_createtable(L, 0, 3);
	lua_pushcfunction(L, node_index);
	lua_setfield(L, -2, "__index");
	protect(L, "node");
	lua_rawsetp(L, LUA_REGISTRYINDEX, &node_key);
	lua_newuserdatauv(L, 0, 1);
	lua_newtable(L);
	lua_setiuservalue(L, -2, 1);
	lua_createtable(L, 0, 4);
	lua_pushcfunction(L, nodes_index);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, nodes_pairs);
	lua_setfield(L, -2, "__pairs");
	protect(L, "nodes");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &nodes_key);
	lua_setmetatable(L, -2);
	lua_setglobal(L, "nodes");
}

/* --- context, execution, print ---------------------------------------------- */

static void
push_context(lua_State *L, struct lua_sandbox *s)
{
	const struct scope *scope = &s->call->scope;
	const char *text;
	size_t len = 0;

	lua_guard(s);
	text = scope->context(scope, &len);
	lua_unguard(s);
	if (text == NULL)
		lua_newtable(L);
	else
		lua_json_push_text(L, s, text, len, "context");
}

/* A global that is not there: the context or the element, the first time, or
 * nil. */
static int
global_index(lua_State *L)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	const struct op_call *call = s->call;
	bool element = call->part == CALL_ELEMENT;
	const char *name = lua_tostring(L, 2);

	if (lua_type(L, 2) != LUA_TSTRING)
		return 0;
	if (strcmp(name, "context") == 0)
		push_context(L, s);
	else if (element && strcmp(name, "item") == 0)
		lua_json_push_text(L, s, call->item, call->item_len, "item");
	else if (element && strcmp(name, "index") == 0)
		lua_pushinteger(L, call->element);
	else
		return 0;
	lua_pushvalue(L, -1);
	lua_setglobal(L, name);
	return 1;
}

/* The end of the log is what is kept; it is cut when it has doubled. */
static void
log_put(struct lua_sandbox *s, const char *text, size_t len)
{
	size_t keep = s->limits.log_bytes;

	lua_guard(s);
	if (len > keep) {
		text += len - keep;
		len = keep;
	}
	if (s->log.len + len > 2 * keep) {
		memmove(s->log.data, s->log.data + s->log.len - keep, keep);
		s->log.len = keep;
	}
	buf_put(&s->log, text, len);
	lua_unguard(s);
}

static int
print(lua_State *L)
{
	struct lua_sandbox *s = lua_sandbox_of(L);
	int n = lua_gettop(L);

	for (int i = 1; i <= n; i++) {
		size_t len;
		const char *text = luaL_tolstring(L, i, &len);

		log_put(s, "\t", i > 1);
		log_put(s, text, len);
		lua_pop(L, 1);
	}
	log_put(s, "\n", 1);
	return 0;
}

static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},
    {LUA_COLIBNAME, luaopen_coroutine}, {LUA_TABLIBNAME, luaopen_table},
    {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8}};

static const char *const removed[] = {
    "collectgarbage", "dofile", "load", "loadfile", "warn"};

static void
open_libraries(lua_State *L)
{
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
		lua_pop(L, 1);
	}
	for (size_t i = 0; i < sizeof(removed) / sizeof(removed[0]); i++) {
		lua_pushnil(L);
		lua_setglobal(L, removed[i]);
	}
	lua_getglobal(L, LUA_STRLIBNAME);
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	lua_pop(L, 1);
}

void
lua_scope_open(lua_State *L, struct lua_sandbox *s)
{
	char id[UUID_TEXT];

	open_libraries(L);
	lua_json_open(L);
	open_nodes(L);
	lua_pushcfunction(L, print);
	lua_setglobal(L, "print");
	uuid_format(&s->call->scope.execution, id);
	lua_createtable(L, 0, 1);
	lua_pushstring(L, id);
	lua_setfield(L, -2, "id");
	lua_setglobal(L, "execution");
	if (s->input != NULL) {
		lua_json_push(L, s->input);
		lua_setglobal(L, "input");
	}
	lua_pushglobaltable(L);
	lua_createtable(L, 0, 3);
	lua_pushcfunction(L, global_index);
	lua_setfield(L, -2, "__index");
	protect(L, "globals");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}
