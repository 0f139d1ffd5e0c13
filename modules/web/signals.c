/* signals.c - lanes of nodes that wait for signals. */

#include <string.h>

#include "base/clock.h"
#include "web/asks.h"
#include "web_sql.h"

static const char *
until_text(struct mem *m, const struct host_request *r)
{
	char *text;

	if (r->until_us == INT64_MAX)
		return "infinity";
	if ((text = mem_alloc(m, TIME_TEXT)) != NULL)
		time_format(r->until_us, text);
	return text;
}

static const char *
due_text(struct mem *m, const struct host_request *r)
{
	(void)m;
	return r->state & ASK_DUE ? "t" : "f";
}

static void
take_put(struct lane *l)
{
	lane_column(l, ask_execution);
	lane_column(l, ask_organization);
	lane_column(l, ask_node);
	lane_column(l, ask_element);
	lane_column(l, ask_attempt);
	lane_column(l, ask_node_name);
	lane_column(l, ask_name);
	lane_column(l, until_text);
	lane_column(l, due_text);
}

/* Who was asked as due, and not only became so meanwhile. */
static bool asked_due[LANE_MAX];

static void
put(struct lane *l)
{
	unsigned i;

	for (i = 0; i < l->count; i++)
		asked_due[i] = l->batch[i]->state & ASK_DUE;
	take_put(l);
	lane_server(l);
}

static void
take(struct lane *l, const struct sql_rows *rows)
{
	struct host_request *r;
	unsigned i;
	int row;

	for (row = 0; row < sql_count(rows); row++)
		if ((r = lane_request(l, rows, row)) != NULL)
			ask_answer(r, sql_get(rows, row, 1),
			    sql_get_len(rows, row, 1));
	for (i = 0; i < l->count; i++)
		if (asked_due[i] && (l->batch[i]->state & ASK_ANSWERED) == 0)
			ask_overdue(l->batch[i]);
}

struct lane lane_signals = {
    .sql = &SQL_SIGNALS_TAKE,
    .name = "signals",
    .put = put,
    .take = take,
};

static void
end_put(struct lane *l)
{
	lane_column(l, ask_execution);
	lane_column(l, ask_node);
	lane_column(l, ask_element);
	lane_column(l, ask_attempt);
}

struct lane lane_waits_end = {
    .sql = &SQL_WAITS_END,
    .name = "waits",
    .put = end_put,
    .closing = true,
};
