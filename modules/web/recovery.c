/* recovery.c - executions that are in the database but in no arena: those of
 * before a restart, those that openctl asked for, and slots whose worker died
 * before it could commit them.
 *
 * The first worker does it for the server, so no two adopt the same execution:
 * at its start, when notifications begin (again), on NOTIFY open_pending, and
 * where a start's end is unknown.
 */

#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/recovery.h"
#include "web_sql.h"

#define TICK_MS		 250
#define PAGE		 200
#define LOADS_MAX	 1000
#define UNCLAIMED_NS	 (INT64_C(10) * 1000000000)
#define SUSPECT_NS	 (INT64_C(3) * 1000000000)
#define SUSPECT_TWICE_NS (INT64_C(30) * 1000000000)

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
	bool again;	   /* look for unclaimed ones */
	bool own;	   /* read own ones, after `after` */
	struct uuid after; /* the last own one that was seen */
	int64_t looked_ns;
	uint64_t suspects;  /* seen so far */
	int64_t suspect_at; /* when to look for them; 0: none */
	int64_t again_at;   /* and once more, for the slowest */
	unsigned adopted;
} state;

static void look(void);

static void
looked(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct run_ref run;
	struct uuid id;
	int row, own = 0;

	state.asking = false;
	if (q->outcome != QUERY_OK) {
		if (q->outcome == QUERY_ERROR)
			log_error("recovery: %s %s", q->sqlstate, q->message);
		query_clear(q);
		return; /* the tick asks again */
	}
	state.again = false;
	for (row = 0; row < sql_count(rows); row++) {
		if (!sql_get_uuid(rows, row, 0, &id))
			continue;
		if (sql_get_bool(rows, row, 1)) {
			own++;
			state.after = id;
		}
		if (exec_find(server.exec, &id, &run))
			continue;
		/* Those of openctl come all day; own ones were left. */
		state.adopted += sql_get_bool(rows, row, 1);
		load_execution(&id, NULL);
	}
	if (own < PAGE)
		state.own = false;
	if (sql_count(rows) >= PAGE)
		state.again = true;
	if (!state.own && state.adopted > 0) {
		log_info("recovery: %u executions adopted", state.adopted);
		state.adopted = 0;
	}
	query_clear(q);
	look();
}

static void
look(void)
{
	if (state.asking || !(state.again || state.own) ||
	    load_waiting() > LOADS_MAX)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	sql_uuid(&state.params, &server.id);
	sql_uuid(&state.params, state.own ? &state.after : NULL);
	sql_int(&state.params, PAGE);
	state.query.sql = &SQL_ADOPT;
	state.query.params = &state.params;
	state.query.done = looked;
	state.looked_ns = clock_mono_ns();
	state.asking = query_submit(POOL_SYSTEM, &state.query) == 0;
}

static void
look_at_all(void)
{
	memset(&state.after, 0, sizeof(state.after));
	state.own = true;
	state.again = true;
}

/* NULL: notifications begin (again). */
static void
pending(const char *payload)
{
	if (payload == NULL)
		look_at_all();
	state.again = true;
	look();
}

static void
orphans(void)
{
	struct uuid execution;
	struct run_ref run;

	while (load_waiting() < LOADS_MAX &&
	       exec_next_orphan(server.exec, &execution, &run)) {
		load_execution(&execution, &run);
		recovery_suspect();
	}
}

/* A statement whose connection broke may still commit: look a little later, and
 * when statement_timeout has ended it for sure. */
static void
suspects(int64_t now)
{
	uint64_t n = 0;
	unsigned w;

	for (w = 0; w < WORKERS_MAX; w++)
		n += atomic_load(&server.counters[w].suspects);
	if (n != state.suspects) {
		state.suspects = n;
		state.suspect_at = now + SUSPECT_NS;
		state.again_at =
		    now + SUSPECT_TWICE_NS + server.config.request_timeout;
	}
	if (state.again_at != 0 && now >= state.again_at) {
		state.again_at = 0;
		look_at_all();
	}
	if (state.suspect_at != 0 && now >= state.suspect_at) {
		state.suspect_at = 0;
		look_at_all();
	}
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	orphans();
	suspects(now);
	if (now - state.looked_ns > UNCLAIMED_NS)
		state.again = true;
	look();
}

void
recovery_suspect(void)
{
	atomic_fetch_add(&server.mine->suspects, 1);
}

void
recovery_plan(const struct uuid *execution, struct run_ref run)
{
	load_execution(execution, &run);
}

void
recovery_start(void)
{
	load_start();
	if (server.worker != 0)
		return;
	mem_create(&state.mem, 0);
	database_listen("open_pending", pending);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
