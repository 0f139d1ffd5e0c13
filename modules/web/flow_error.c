/* flow_error.c - a database error as the API tells it: a status, a code, a
 * sentence; never SQL, which goes to the log. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "web/log.h"
#include "web/request.h"

/* By SQLSTATE, the first that fits; two characters name a class. */
static const struct {
	const char *state;
	int status;
	const char *code, *detail;
} database_errors[] = {
    {"53100", 503, "database_full",
	"The database has no space left; nothing was changed."},
    {"53", 503, "database_unavailable",
	"The database is overloaded; try again soon."},
    {"57014", 504, "timeout",
	"The database took longer than the server allows."},
    {"57", 503, "database_unavailable",
	"The database is not ready; try again soon."},
    {"08", 503, "database_unavailable", NO_DATABASE},
    {"40", 503, "try_again",
	"The request met another one; nothing was changed."},
    {"OP001", 503, "server_not_ready",
	"This server has lost its lease and ends; try again soon."},
    {"25006", 503, "database_unavailable",
	"The database only reads; try again soon."},
    {"22", 422, "invalid_value", "A value can't be stored as it was given."},
    {"54", 422, "too_large", "A value is too large to be stored."},
};

/* A database in trouble refuses everything; one line a second tells it. */
static void
log_refusal(const struct query *q)
{
	static int64_t told_ns;
	int64_t now = clock_mono_ns();

	if (now - told_ns < INT64_C(1000000000))
		return;
	told_ns = now;
	log_warning("%s: %s %s", q->sql->name, q->sqlstate, q->message);
}

static void
set(struct flow_error *e, int status, const char *code, const char *detail)
{
	e->status = status;
	e->code = code;
	snprintf(e->detail, sizeof(e->detail), "%s", detail);
}

static void
set_internal(const struct query *q, struct flow_error *e)
{
	char id[UUID_TEXT];
	struct uuid uuid = uuid_v7();

	uuid_format(&uuid, id);
	log_error("%s: %s: %s %s", id, q->sql->name, q->sqlstate, q->message);
	e->status = 500;
	e->code = "internal";
	snprintf(e->detail, sizeof(e->detail),
	    "Something went wrong; the server's log has it under %s.", id);
}

void
flow_query_error(const struct query *q, struct flow_error *e)
{
	size_t i, count = sizeof(database_errors) / sizeof(database_errors[0]);

	atomic_fetch_add(&server.mine->query_failures, 1);
	if (q->outcome != QUERY_ERROR) {
		set(e, 503, "database_unavailable", NO_DATABASE);
		return;
	}
	for (i = 0; i < count; i++)
		if (strncmp(database_errors[i].state, q->sqlstate,
			strlen(database_errors[i].state)) == 0)
			break;
	if (i == count) {
		set_internal(q, e);
		return;
	}
	log_refusal(q);
	set(e, database_errors[i].status, database_errors[i].code,
	    database_errors[i].detail);
}
