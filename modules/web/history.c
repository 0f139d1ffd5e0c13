/* history.c - how long history is kept: the first worker asks for it at its
 * start and every hour; the work is the database's (open.keep_history), and one
 * server's at a time.
 */

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS	  1000
#define BATCH	  2000 /* executions deleted by one statement */
#define AGAIN_NS  (INT64_C(1) * 1000000000)
#define FAILED_NS (INT64_C(60) * 1000000000)
#define HOUR_NS	  (INT64_C(3600) * 1000000000)
#define DAY_NS	  (INT64_C(86400) * 1000000000)

static struct {
	struct query query;
	struct sql_params params;
	struct mem mem;
	bool asking;
	int64_t at; /* when to ask next */
} state;

static void
kept(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	int64_t made, dropped, deleted, audited;

	state.asking = false;
	state.at =
	    clock_mono_ns() + (q->outcome == QUERY_OK ? HOUR_NS : FAILED_NS);
	if (q->outcome == QUERY_ERROR)
		log_error("history: %s %s", q->sqlstate, q->message);
	if (q->outcome == QUERY_OK && sql_count(rows) == 1) {
		atomic_fetch_add(&server.mine->history_looks, 1);
		made = sql_get_int(rows, 0, 0);
		dropped = sql_get_int(rows, 0, 1);
		deleted = sql_get_int(rows, 0, 2);
		audited = sql_get_int(rows, 0, 3);
		atomic_fetch_add(
		    &server.mine->partitions_dropped, (uint64_t)dropped);
		atomic_fetch_add(
		    &server.mine->executions_expired, (uint64_t)deleted);
		if (made + dropped + deleted > 0)
			log_info("history: %lld partitions made, %lld dropped, "
				 "%lld executions deleted",
			    (long long)made, (long long)dropped,
			    (long long)deleted);
		if (audited > 0)
			log_info("history: %lld entries of the audit log "
				 "deleted",
			    (long long)audited);
		if (deleted >= BATCH || audited >= BATCH)
			state.at = clock_mono_ns() + AGAIN_NS;
	}
	query_clear(q);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t days = server.config.history_retention / DAY_NS;

	(void)arg;
	(void)now_ms;
	if (state.asking || clock_mono_ns() < state.at)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	if (days > 0)
		sql_int(&state.params, days);
	else
		sql_text(&state.params, NULL);
	sql_int(&state.params, BATCH);
	sql_int(&state.params, server.config.audit_retention / DAY_NS);
	state.query.sql = &SQL_HISTORY_KEEP;
	state.query.params = &state.params;
	state.query.done = kept;
	state.asking = query_submit(POOL_SYSTEM, &state.query) == 0;
}

void
history_start(void)
{
	if (server.worker != 0)
		return;
	mem_create(&state.mem, 0);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
