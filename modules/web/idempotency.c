/* idempotency.c - forgets keys of requests that are older than a day, a bounded
 * number at a time; the first worker does it for the server, and several servers
 * share what there is.
 */

#include <string.h>

#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS 10000
#define FEW	1000
#define MANY_MS 200 /* where there were that many, more follow soon */

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
} state;

static void look(void *, u_int64_t);

static void
looked(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;

	state.asking = false;
	if (q->outcome == QUERY_OK && sql_count(rows) == 1 &&
	    sql_get_int(rows, 0, 0) == FEW)
		kore_timer_add(look, MANY_MS, NULL, KORE_TIMER_ONESHOT);
	if (q->outcome == QUERY_ERROR)
		log_error("idempotency: %s %s", q->sqlstate, q->message);
	query_clear(q);
}

static void
look(void *arg, u_int64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	if (state.asking)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	sql_int(&state.params, FEW);
	state.query.sql = &SQL_IDEMPOTENCY_EXPIRE;
	state.query.params = &state.params;
	state.query.done = looked;
	state.asking = query_submit(POOL_SYSTEM, &state.query) == 0;
}

void
idempotency_start(void)
{
	if (server.worker != 0)
		return;
	mem_create(&state.mem, 0);
	kore_timer_add(look, TICK_MS, NULL, 0);
}
