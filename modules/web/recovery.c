/* recovery.c - executions that are in the database but in no arena: those of
 * before a restart, those that openctl asked for, those of servers that have
 * ended, and slots whose worker died before it could commit them.
 *
 * The first worker does it for the server, so no two adopt the same execution:
 * when its lease begins, when notifications begin (again), on NOTIFY
 * open_pending, and where a start's end is unknown. It also ends servers whose
 * lease is over.
 */

#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/lease.h"
#include "web/log.h"
#include "web/recovery.h"
#include "web_sql.h"

#define TICK_MS		 100
#define PAGE		 200
#define LOADS_MAX	 1000
#define INHERIT		 100 /* of ended servers at once: others want some */
#define INHERIT_MAX	 200 /* … and only while fewer are being loaded */
#define EXPIRE_NS	 (INT64_C(1) * 1000000000)
#define UNCLAIMED_NS	 (INT64_C(10) * 1000000000)
#define SUSPECT_NS	 (INT64_C(3) * 1000000000)
#define SUSPECT_TWICE_NS (INT64_C(30) * 1000000000)

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
	int64_t epoch;	   /* own ones were looked for in it */
	bool again;	   /* look for unclaimed ones */
	bool inherit;	   /* look for those of servers that have ended */
	bool own;	   /* read own ones, after `after` */
	struct uuid after; /* the last own one that was seen */
	int64_t looked_ns;
	int64_t expire_ns;  /* when others' leases were looked at */
	uint64_t suspects;  /* seen so far */
	int64_t suspect_at; /* when to look for them; 0: none */
	int64_t again_at;   /* and once more, for the slowest */
	bool asked_inherit;
	unsigned adopted, inherited;
} state;

static void look(void);

static void
look_at_all(void)
{
	memset(&state.after, 0, sizeof(state.after));
	state.own = true;
	state.again = true;
	state.inherit = true;
}

/* --- looking -------------------------------------------------------------- */

static void
look_failed(const struct query *q)
{
	/* What was claimed may be ours by now. */
	if (q->outcome == QUERY_LOST)
		look_at_all();
	if (q->outcome == QUERY_ERROR && !lease_refused(q))
		log_error("recovery: %s %s", q->sqlstate, q->message);
}

/* How many of them were own ones, and of other servers. */
static void
look_took(const struct sql_rows *rows, int *own, int *inherited)
{
	struct run_ref run;
	struct uuid id;
	int row;

	for (row = 0; row < sql_count(rows); row++) {
		if (!sql_get_uuid(rows, row, 0, &id))
			continue;
		if (sql_get_bool(rows, row, 1)) {
			++*own;
			state.after = id;
		}
		*inherited += sql_get_bool(rows, row, 2);
		if (exec_find(server.exec, &id, &run))
			continue;
		/* Those of openctl come all day; own ones were left. */
		state.adopted += sql_get_bool(rows, row, 1);
		load_execution(&id, NULL);
	}
}

static void
look_tell(void)
{
	if (!state.own && state.adopted > 0) {
		log_info("recovery: %u executions adopted", state.adopted);
		state.adopted = 0;
	}
	if (!state.inherit && state.inherited > 0) {
		log_info("recovery: %u executions taken over from servers "
			 "that have ended",
		    state.inherited);
		state.inherited = 0;
	}
}

static void
looked(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	int own = 0, inherited = 0;

	state.asking = false;
	if (q->outcome != QUERY_OK) {
		look_failed(q);
		query_clear(q);
		return; /* the tick asks again */
	}
	look_took(rows, &own, &inherited);
	state.inherited += (unsigned)inherited;
	if (own < PAGE)
		state.own = false;
	if (state.asked_inherit && inherited == 0)
		state.inherit = false;
	state.again = sql_count(rows) >= PAGE;
	look_tell();
	query_clear(q);
	look();
}

static void
look(void)
{
	unsigned loads = load_waiting();
	int64_t epoch = lease_epoch();

	if (state.asking || !(state.again || state.own || state.inherit) ||
	    loads > LOADS_MAX || epoch == 0 ||
	    (!state.own && loads >= INHERIT_MAX))
		return;
	state.asked_inherit = state.inherit && loads < INHERIT_MAX;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	sql_uuid(&state.params, &server.id);
	sql_uuid(&state.params, state.own ? &state.after : NULL);
	sql_int(&state.params, PAGE);
	sql_int(&state.params, epoch);
	sql_int(&state.params, state.asked_inherit ? INHERIT : 0);
	state.query.sql = &SQL_ADOPT;
	state.query.params = &state.params;
	state.query.done = looked;
	state.looked_ns = clock_mono_ns();
	state.asking = query_submit(POOL_SYSTEM, &state.query) == 0;
}

/* NULL: notifications begin (again). */
static void
pending(const char *payload)
{
	if (payload == NULL)
		look_at_all();
	else if (payload[0] == '\0') /* a server has ended */
		state.inherit = true;
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

/* --- other servers -------------------------------------------------------- */

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
} expiry;

static void
expired(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;

	expiry.asking = false;
	if (q->outcome == QUERY_ERROR)
		log_error("recovery: %s %s", q->sqlstate, q->message);
	if (q->outcome == QUERY_OK && !sql_is_null(rows, 0, 0)) {
		log_warning("recovery: the lease of server %s is over; its "
			    "executions are taken over",
		    sql_get(rows, 0, 0));
		state.expire_ns = 0; /* maybe there are more */
		state.inherit = true;
	}
	query_clear(q);
	look();
}

static void
expire(int64_t now)
{
	if (expiry.asking || lease_epoch() == 0 || lease_others() == 0 ||
	    now - state.expire_ns < EXPIRE_NS)
		return;
	state.expire_ns = now;
	mem_reset(&expiry.mem);
	memset(&expiry.params, 0, sizeof(expiry.params));
	expiry.params.mem = &expiry.mem;
	sql_uuid(&expiry.params, &server.id);
	expiry.query.sql = &SQL_SERVER_EXPIRE;
	expiry.query.params = &expiry.params;
	expiry.query.done = expired;
	expiry.asking = query_submit(POOL_SYSTEM, &expiry.query) == 0;
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	if (state.epoch != lease_epoch()) {
		state.epoch = lease_epoch();
		look_at_all();
	}
	orphans();
	suspects(now);
	expire(now);
	if (now - state.looked_ns > UNCLAIMED_NS)
		state.again = state.inherit = true;
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
	mem_create(&expiry.mem, 0);
	database_listen("open_pending", pending);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
