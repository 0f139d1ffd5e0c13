/* bench_windmill - the flows that Windmill publishes its figures of: 40 light
 * tasks, fibonacci(10), and 10 long ones, fibonacci(33), naively recursive and
 * one after the other. Here each task is a node of op lua.
 *
 * Beside them a C program with the same Lua: it commits the execution's row,
 * runs every task in a fresh state as OPEN does (a script can leave nothing to
 * the next one), and commits all results. The long flow is all computing, so
 * there the peer is the bare loop, in one state and without a database.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "server.h"
#include "table.h"

#define LIGHT	     40
#define LIGHT_ROUNDS 100
#define LONG	     10
#define LONG_ROUNDS  2

#define FIB                                                                    \
	"local function fib(n) if n <= 1 then return n end"                    \
	" return fib(n - 1) + fib(n - 2) end "

static const char setup_sql[] =
    "create schema if not exists open_bench;"
    "drop table if exists open_bench.flow_nodes, open_bench.flows;"
    "create table open_bench.flows (id uuid primary key,"
    " status text not null, started_at timestamptz not null,"
    " completed_at timestamptz, context jsonb, result jsonb);"
    "create table open_bench.flow_nodes (flow uuid references open_bench.flows,"
    " nodes integer[], states \"char\"[], started bigint[], completed bigint[],"
    " results text[])";

static const char begin_sql[] =
    "insert into open_bench.flows values (gen_random_uuid(), 'pending', now(),"
    " null, '{}', null) returning id";

static const char end_sql[] =
    "with n as (insert into open_bench.flow_nodes values ($1::uuid,"
    " $2::integer[], $3::\"char\"[], $4::bigint[], $5::bigint[], $6::text[]))"
    " update open_bench.flows set status = 'success', completed_at = now(),"
    " result = $7::jsonb where id = $1::uuid";

/* --- the bare program --- */

static lua_Integer
script_run(lua_State *lua, const char *script)
{
	lua_Integer value;

	if (luaL_dostring(lua, script) != LUA_OK)
		die("lua", lua_tostring(lua, -1));
	value = lua_tointeger(lua, -1);
	lua_settop(lua, 0);
	return value;
}

static lua_Integer
task_run(const char *script)
{
	lua_State *lua = luaL_newstate();
	lua_Integer value;

	if (lua == NULL)
		die("lua", "out of memory");
	luaL_openlibs(lua);
	value = script_run(lua, script);
	lua_close(lua);
	return value;
}

struct flow_arrays {
	char nodes[1024], states[1024], started[2048], completed[2048];
	char results[1024];
	size_t at[5];
};

static void
arrays_put(struct flow_arrays *a, int i, double from, double to, lua_Integer v)
{
	const char *before = i == 0 ? "{" : ",";

	a->at[0] += (size_t)sprintf(a->nodes + a->at[0], "%s%d", before, i);
	a->at[1] += (size_t)sprintf(a->states + a->at[1], "%ss", before);
	a->at[2] +=
	    (size_t)sprintf(a->started + a->at[2], "%s%.0f", before, from);
	a->at[3] +=
	    (size_t)sprintf(a->completed + a->at[3], "%s%.0f", before, to);
	a->at[4] += (size_t)sprintf(a->results + a->at[4], "%s%lld", before, v);
}

static PGresult *
statement(PGconn *db, const char *name, int n, const char *const *values)
{
	PGresult *r = PQexecPrepared(db, name, n, values, NULL, NULL, 0);

	if (PQresultStatus(r) != PGRES_COMMAND_OK &&
	    PQresultStatus(r) != PGRES_TUPLES_OK)
		die(name, PQerrorMessage(db));
	return r;
}

/* Microseconds. */
static double
bare_run(PGconn *db, int tasks, const char *script, lua_Integer expected)
{
	struct flow_arrays a = {.at = {0}};
	char flow[37], result[64];
	double begun = now_us();
	const char *values[7] = {
	    flow, a.nodes, a.states, a.started, a.completed, a.results, result};
	PGresult *r = statement(db, "begin", 0, NULL);

	memcpy(flow, PQgetvalue(r, 0, 0), 37);
	PQclear(r);
	for (int i = 0; i < tasks; i++) {
		double from = now_us() - begun;
		lua_Integer v = task_run(script);

		if (v != expected)
			die("lua", "a wrong result");
		arrays_put(&a, i, from, now_us() - begun, v);
	}
	strcpy(a.nodes + a.at[0], "}");
	strcpy(a.states + a.at[1], "}");
	strcpy(a.started + a.at[2], "}");
	strcpy(a.completed + a.at[3], "}");
	strcpy(a.results + a.at[4], "}");
	snprintf(result, sizeof(result), "{\"last\": %lld}", expected);
	PQclear(statement(db, "end", 7, values));
	return now_us() - begun;
}

static double
loop_run(int tasks, const char *script, lua_Integer expected)
{
	lua_State *lua = luaL_newstate();
	double begun = now_us(), us;

	luaL_openlibs(lua);
	for (int i = 0; i < tasks; i++)
		if (script_run(lua, script) != expected)
			die("lua", "a wrong result");
	us = now_us() - begun;
	lua_close(lua);
	return us;
}

/* --- OPEN --- */

static double
open_run(PGconn *db, const char *dag, const char *expected)
{
	static struct http h;
	char execution[37], check[256];
	double us;

	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	us = execution_run(&h, dag, db, execution);
	close(h.fd);
	execution_check(db, execution);
	snprintf(check, sizeof(check),
	    "select count(*) from open.node_executions where execution_id ="
	    " $1::uuid and result::text <> '%s'",
	    expected);
	if (database_number(db, check, execution) != 0)
		die(execution, "a wrong result");
	return us;
}

int
main(void)
{
	static const char light[] = FIB "return fib(10)";
	static const char heavy[] = FIB "return fib(33)";
	struct samples ours = {0}, bare = {0}, one = {0};
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	struct row row = {.unit = "ms"};
	char dag[37];

	database_run(db, setup_sql);
	ended_listen(db);
	PQclear(PQprepare(db, "begin", begin_sql, 0, NULL));
	PQclear(PQprepare(db, "end", end_sql, 0, NULL));
	table_head();
	dag_id("fib10", dag);
	for (int i = 0; i < LIGHT_ROUNDS; i++) {
		samples_add(&ours, open_run(db, dag, "55") / 1e3);
		samples_add(&bare, bare_run(db, LIGHT, light, 55) / 1e3);
	}
	row.what = "40 x lua fibonacci(10), one after the other";
	row.peer = "bare C: the same Lua, a state each, commits";
	row.ours = samples_quantile(&ours, 0.5);
	row.theirs = samples_quantile(&bare, 0.5);
	row.limit = 2;
	table_row(&row);
	samples_free(&ours);
	dag_id("fib33", dag);
	for (int i = 0; i < LONG_ROUNDS; i++) {
		samples_add(&ours, open_run(db, dag, "3524578") / 1e3);
		samples_add(&one, loop_run(LONG, heavy, 3524578) / 1e3);
	}
	row.what = "10 x lua fibonacci(33), one after the other";
	row.peer = "bare loop in the same Lua";
	row.ours = samples_quantile(&ours, 0);
	row.theirs = samples_quantile(&one, 0);
	row.limit = 1.05;
	table_row(&row);
	ended_ignore(db);
	PQfinish(db);
	return 0;
}
