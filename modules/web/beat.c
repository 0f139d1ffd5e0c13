/* beat.c - what keeps the table of credentials true and its use noted: the first
 * worker of each server.
 *
 * Signs of life: a notification to ourselves, while anybody asks. That it came
 *           back proves that all which were sent before it have been heard, so
 *           what is known may be trusted a while longer without asking for each
 *           credential again.
 * Use:      last_used_at, and the end of sessions, which moves: in batches, at
 *           most once a minute for each.
 */

#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS	    250
#define BEAT_NS	    INT64_C(500000000)
#define INTERVAL_NS (INT64_C(60) * 1000000000)
#define EXPIRE_NS   (INT64_C(3600) * 1000000000)
#define BATCH	    256

struct ask {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
	int64_t since_ns;
};

static struct ask life, use, expire;
static struct known_credential used[BATCH];
static size_t used_count;
static uint32_t at;

/* False: it still waits for its answer. */
static bool
begin(struct ask *a)
{
	if (a->asking)
		return false;
	mem_reset(&a->mem);
	memset(&a->params, 0, sizeof(a->params));
	a->params.mem = &a->mem;
	return true;
}

static void
submit(struct ask *a, const struct sql *sql, void (*done)(struct query *))
{
	a->query.sql = sql;
	a->query.params = &a->params;
	a->query.done = done;
	a->query.arg = a;
	a->asking =
	    !mem_failed(&a->mem) && query_submit(POOL_SYSTEM, &a->query) == 0;
}

static void
done(struct query *q)
{
	struct ask *a = q->arg;

	a->asking = false;
	if (q->outcome == QUERY_ERROR)
		log_error("credentials: %s %s", q->sqlstate, q->message);
	query_clear(q);
}

static void
live(int64_t now)
{
	char text[UUID_TEXT + 40], id[UUID_TEXT];

	if (now - life.since_ns < BEAT_NS || !known_active(server.known, now) ||
	    !begin(&life))
		return;
	life.since_ns = now;
	uuid_format(&server.id, id);
	snprintf(text, sizeof(text), "beat %s %lld", id, (long long)now);
	sql_text(&life.params, mem_strdup(&life.mem, text));
	submit(&life, &SQL_BEAT, done);
}

/* Sessions live longer from now on. */
static void
noted(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct uuid id;
	size_t i;
	int row;

	if (q->outcome == QUERY_OK)
		for (row = 0; row < sql_count(rows); row++)
			for (i = 0;
			     sql_get_uuid(rows, row, 0, &id) && i < used_count;
			     i++)
				if (uuid_equal(&used[i].id, &id))
					known_extend(server.known, used[i].hash,
					    use.since_ns +
						sql_get_int(rows, row, 1) *
						    1000);
	done(q);
}

static void
note(int64_t now)
{
	const char *sessions[BATCH], *tokens[BATCH];
	size_t i, session_count = 0, token_count = 0;
	char *text;

	if (!begin(&use))
		return;
	used_count =
	    known_used(server.known, &at, now, INTERVAL_NS, used, BATCH);
	if (used_count == 0)
		return;
	for (i = 0; i < used_count; i++) {
		if ((text = mem_alloc(&use.mem, UUID_TEXT)) == NULL)
			return;
		uuid_format(&used[i].id, text);
		if (used[i].session)
			sessions[session_count++] = text;
		else
			tokens[token_count++] = text;
	}
	use.since_ns = now;
	sql_text_array(&use.params, sessions, session_count);
	sql_text_array(&use.params, tokens, token_count);
	sql_int(
	    &use.params, server.config.session_lifetime / INT64_C(1000000000));
	submit(&use, &SQL_CREDENTIALS_USED, noted);
}

static void
forget_old(int64_t now)
{
	if (now - expire.since_ns < EXPIRE_NS || !begin(&expire))
		return;
	expire.since_ns = now;
	submit(&expire, &SQL_SESSIONS_EXPIRE, done);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	live(now);
	note(now);
	forget_old(now);
}

void
beat_start(void)
{
	if (server.worker != 0)
		return;
	mem_create(&life.mem, 0);
	mem_create(&use.mem, 0);
	mem_create(&expire.mem, 0);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
