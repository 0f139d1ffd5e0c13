/* control.c - what was asked of executions, in their rows, reaches those that run
 * here.
 *
 * Whoever changes cancel_requested_at or paused_at commits NOTIFY open_control
 * with the execution's id in the same statement. The first worker of each server
 * listens; where the execution is in shared memory it reads the row and applies
 * what that says. One read at a time, each after what it is asked for, so the
 * last word in the database is the last one here. When notifications begin
 * (again) it looks at all executions that are here.
 *
 * An execution that is being loaded is in shared memory before its row is read
 * for the last time: either that row or a note tells, and the note counts.
 */

#include <stdlib.h>
#include <string.h>

#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS 250
#define AT_ONCE 256

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
	struct uuid ids[AT_ONCE]; /* to be read next */
	size_t count;
	bool all;      /* look at whatever is here, */
	uint32_t from; /* … from this slot on */
} state;

static void look(void);

static void
apply(const struct sql_rows *rows)
{
	struct uuid id;
	int row;

	for (row = 0; row < sql_count(rows); row++) {
		if (!sql_get_uuid(rows, row, 0, &id))
			continue;
		if (sql_get_bool(rows, row, 1))
			exec_cancel(server.exec, &id);
		if (sql_get_bool(rows, row, 2))
			exec_pause(server.exec, &id);
		else
			exec_resume(server.exec, &id);
	}
}

static void
look_at_all(void)
{
	state.all = true;
	state.from = 0;
}

static void
looked(struct query *q)
{
	state.asking = false;
	if (q->outcome == QUERY_OK) {
		apply((const struct sql_rows *)(const void *)q->result);
		query_clear(q);
		look();
		return;
	}
	if (q->outcome == QUERY_ERROR)
		log_error("control: %s %s", q->sqlstate, q->message);
	query_clear(q);
	look_at_all(); /* at the next tick */
}

static void
ids_put(void)
{
	const char **items = mem_array(&state.mem, state.count, sizeof(*items));
	size_t i;

	for (i = 0; items != NULL && i < state.count; i++) {
		char text[UUID_TEXT];

		uuid_format(&state.ids[i], text);
		items[i] = mem_strdup(&state.mem, text);
	}
	if (!mem_failed(&state.mem))
		sql_text_array(&state.params, items, state.count);
}

static void
look(void)
{
	if (state.asking)
		return;
	if (state.count == 0 && state.all) {
		state.count =
		    exec_list(server.exec, &state.from, state.ids, AT_ONCE);
		state.all = state.from != 0;
	}
	if (state.count == 0)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	ids_put();
	state.query.sql = &SQL_CONTROL;
	state.query.params = &state.params;
	state.query.done = looked;
	state.asking = !mem_failed(&state.mem) &&
		       query_submit(POOL_SYSTEM, &state.query) == 0;
	state.count = 0;
	if (!state.asking)
		look_at_all();
}

/* NULL: notifications begin (again). */
static void
asked(const char *payload)
{
	struct run_ref run;
	struct uuid id;

	if (payload == NULL || state.count == AT_ONCE) {
		look_at_all();
	} else if (uuid_parse(payload, strlen(payload), &id) &&
		   exec_find(server.exec, &id, &run)) {
		state.ids[state.count++] = id;
	}
	look();
}

static void
tick(void *arg, u_int64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	look();
}

void
control_start(void)
{
	if (server.worker != 0)
		return;
	mem_create(&state.mem, 0);
	database_listen("open_control", asked);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
