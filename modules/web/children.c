/* children.c - lanes of nodes that run another DAG: their children begin as any
 * execution does (a slot in shared memory before the row, the run after it), so
 * a crash in between is found by recovery.c.
 *
 * A child that finds no room in the executor waits for some; parents wait for
 * children, so for the case that only parents are left it fails at last.
 */

#include <string.h>

#include "base/clock.h"
#include "web/asks.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/request.h"
#include "web_sql.h"

#define NO_ROOM_NS  (INT64_C(30) * 1000000000)
#define SWEEP_MS    5000
#define SWEEP_WAITS 12 /* of so many */

enum column {
	COL_PLACE,
	COL_MADE,
	COL_CHILD,
	COL_PLAN_HASH,
	COL_VERSION,
	COL_STATUS,
	COL_RESULT,
	COL_ERROR,
	COL_FOUND,
	COL_ACTIVE,
	COL_ALLOWED,
	COL_DEPTH,
	COL_GOES_ON
};

/* Of the batch: ids and slots for children that may be made. */
static struct {
	struct uuid id;
	struct run_ref run;
	bool reserved;
	char text[UUID_TEXT]; /* "": make none now */
} fresh[LANE_MAX];

/* --- the question --------------------------------------------------------- */

static void
reserve(struct host_request *r, unsigned i)
{
	struct run_start start = {.organization = r->organization,
	    .allowed = r->allowed,
	    .child = true,
	    .priority_given = true,
	    .priority = r->priority,
	    .context = r->context,
	    .context_len = r->context_len};
	struct err e;

	fresh[i].reserved = false;
	fresh[i].text[0] = '\0';
	if (r->state & ASK_KNOWN)
		return;
	start.execution = fresh[i].id = uuid_execution();
	err_clear(&e);
	if (exec_reserve(server.exec, &start, &fresh[i].run, &e) != 0)
		return;
	fresh[i].reserved = true;
	uuid_format(&fresh[i].id, fresh[i].text);
}

static void
put(struct lane *l)
{
	const char **ids = mem_array(&l->mem, l->count, sizeof(*ids));
	const char **contexts = mem_array(&l->mem, l->count, sizeof(*contexts));
	unsigned i;

	for (i = 0; i < l->count; i++)
		reserve(l->batch[i], i);
	if (mem_failed(&l->mem))
		return;
	for (i = 0; i < l->count; i++) {
		ids[i] = fresh[i].text;
		contexts[i] = fresh[i].reserved ? l->batch[i]->context : "{}";
	}
	lane_column(l, ask_execution);
	lane_column(l, ask_node);
	lane_column(l, ask_element);
	lane_column(l, ask_attempt);
	lane_column(l, ask_node_name);
	lane_column(l, ask_name);
	sql_text_array(&l->params, ids, l->count);
	sql_text_array(&l->params, contexts, l->count);
	lane_server(l);
	start_permissions(&l->params);
	sql_int(&l->params, server.config.dag_depth_limit);
}

/* --- the answer ----------------------------------------------------------- */

static void
abandon(unsigned i)
{
	if (fresh[i].reserved)
		exec_abandon(server.exec, fresh[i].run);
	fresh[i].reserved = false;
}

/* Its row is there: the run goes to an arena. */
static void
begin(struct lane *l, const struct sql_rows *rows, int row, unsigned i)
{
	struct plan_hash hash;
	const void *bytes;
	struct err e;
	size_t len;

	fresh[i].reserved = false;
	l->batch[i]->state |= ASK_KNOWN;
	atomic_fetch_add(&server.mine->started, 1);
	err_clear(&e);
	bytes = sql_get_bytes(rows, row, COL_PLAN_HASH, &l->mem, &len);
	if (bytes != NULL && len == sizeof(hash.bytes)) {
		memcpy(hash.bytes, bytes, len);
		if (exec_commit(server.exec, fresh[i].run, &hash, NULL, &e) ==
		    0)
			return;
	}
	recovery_plan(&fresh[i].id, fresh[i].run);
}

/* A child that was there before: has it ended? */
static void
look(struct host_request *r, const struct sql_rows *rows, int row)
{
	const char *child = sql_get(rows, row, COL_CHILD);
	const char *status = sql_get(rows, row, COL_STATUS);

	r->state |= ASK_KNOWN;
	if (sql_is_null(rows, row, COL_STATUS))
		ask_fail(r, true, "child_gone",
		    "Execution %s of DAG \"%s\" was deleted.", child, r->name);
	else if (strcmp(status, "success") == 0)
		ask_answer(r,
		    sql_is_null(rows, row, COL_RESULT)
			? NULL
			: sql_get(rows, row, COL_RESULT),
		    sql_get_len(rows, row, COL_RESULT));
	else if (strcmp(status, "failed") == 0)
		ask_fail(r, true, "child_failed",
		    "Execution %s of DAG \"%s\" failed: %s", child, r->name,
		    sql_get(rows, row, COL_ERROR));
	else if (strcmp(status, "cancelled") == 0)
		ask_fail(r, false, "child_cancelled",
		    "Execution %s of DAG \"%s\" was cancelled.", child,
		    r->name);
}

/* No child, and why; one that only lacks room is asked for again. */
static void
refuse(struct host_request *r, const struct sql_rows *rows, int row)
{
	int64_t now = clock_mono_ns();

	if (!sql_get_bool(rows, row, COL_GOES_ON))
		ask_fail(r, false, "execution_ended",
		    "The execution has already ended.");
	else if (!sql_get_bool(rows, row, COL_FOUND))
		ask_fail(r, false, "dag_not_found",
		    "There is no DAG \"%s\" in this organization.", r->name);
	else if (!sql_get_bool(rows, row, COL_ACTIVE))
		ask_fail(r, false, "dag_not_active",
		    "DAG \"%s\" is not active.", r->name);
	else if (!sql_get_bool(rows, row, COL_ALLOWED))
		ask_fail(r, false, "op_not_allowed",
		    "The organization's settings don't allow an op of DAG "
		    "\"%s\".",
		    r->name);
	else if (sql_get_int(rows, row, COL_DEPTH) >=
		 server.config.dag_depth_limit)
		ask_fail(r, false, "dag_too_deep",
		    "There are %lld executions above DAG \"%s\" already, as "
		    "many as dag_depth_limit allows.",
		    (long long)sql_get_int(rows, row, COL_DEPTH), r->name);
	else if (r->since_ns != 0 && now - r->since_ns > NO_ROOM_NS)
		ask_fail(r, true, "executor_full",
		    "There was no room to run DAG \"%s\" for 30 s.", r->name);
	else
		ask_later(r);
	if (r->since_ns == 0)
		r->since_ns = now;
}

static void
take(struct lane *l, const struct sql_rows *rows)
{
	bool seen[LANE_MAX] = {false};
	struct host_request *r;
	unsigned i;
	int row;

	for (row = 0; row < sql_count(rows); row++) {
		if ((r = lane_request(l, rows, row)) == NULL)
			continue;
		i = (unsigned)sql_get_int(rows, row, COL_PLACE) - 1;
		seen[i] = true;
		if (sql_get_bool(rows, row, COL_MADE))
			begin(l, rows, row, i);
		else if (!sql_is_null(rows, row, COL_CHILD))
			look(r, rows, row);
		else
			refuse(r, rows, row);
	}
	for (i = 0; i < l->count; i++) {
		abandon(i);
		if (!seen[i])
			ask_fail(l->batch[i], false, "execution_gone",
			    "The execution was deleted.");
	}
}

/* Rows may be there: recovery looks for those that nobody runs. */
static void
failed(struct lane *l, bool lost)
{
	unsigned i;

	for (i = 0; i < l->count; i++)
		abandon(i);
	if (lost)
		recovery_suspect();
}

struct lane lane_children = {
    .sql = &SQL_CHILDREN_ASK,
    .name = "children",
    .put = put,
    .take = take,
    .failed = failed,
};

/* --- cancelled ------------------------------------------------------------ */

static void
cancel_put(struct lane *l)
{
	lane_column(l, ask_execution);
	lane_column(l, ask_node);
	lane_column(l, ask_element);
	lane_column(l, ask_attempt);
	lane_server(l);
}

/* Those of this server hear of it at once. */
static void
cancelled(const struct sql_rows *rows)
{
	struct uuid id;
	int row;

	for (row = 0; row < sql_count(rows); row++)
		if (sql_get_uuid(rows, row, 0, &id))
			exec_cancel(server.exec, &id);
}

static void
cancel_take(struct lane *l, const struct sql_rows *rows)
{
	(void)l;
	cancelled(rows);
}

struct lane lane_children_cancel = {
    .sql = &SQL_CHILDREN_CANCEL,
    .name = "children",
    .put = cancel_put,
    .take = cancel_take,
    .closing = true,
};

/* --- what crashes leave behind -------------------------------------------- */

static struct {
	struct query query;
	struct sql_params params;
	struct mem mem;
	unsigned count;
} sweep;

static void
swept(struct query *q)
{
	if (q->outcome == QUERY_OK)
		cancelled((const struct sql_rows *)(const void *)q->result);
	else if (q->outcome == QUERY_ERROR)
		log_error("children: %s %s", q->sqlstate, q->message);
	q->done = NULL;
	query_clear(q);
}

static void
sweep_tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	if (sweep.query.done != NULL)
		return;
	mem_reset(&sweep.mem);
	memset(&sweep.params, 0, sizeof(sweep.params));
	sweep.params.mem = &sweep.mem;
	sql_bool(&sweep.params, sweep.count++ % SWEEP_WAITS == 0);
	sweep.query.sql = &SQL_CHILDREN_SWEEP;
	sweep.query.params = &sweep.params;
	sweep.query.done = swept;
	if (query_submit(POOL_SYSTEM, &sweep.query) != 0)
		sweep.query.done = NULL;
}

void
children_start(void)
{
	if (server.worker != 0)
		return;
	mem_create(&sweep.mem, 0);
	kore_timer_add(sweep_tick, SWEEP_MS, NULL, 0);
}
