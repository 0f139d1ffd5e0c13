/* limits.c - what organizations may use, from the database to the executor.
 *
 * An organization's limits are told with its first start on this server, from
 * what the session knows. From then on the first worker keeps them true: every
 * two seconds, and when an organization changes, it reads the settings and
 * quotas of all organizations that the executor knows.
 */
#include "web/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS	  100
#define PERIOD_NS (INT64_C(2) * 1000000000)
#define AT_ONCE	  256
#define TENANTS	  4096 /* looked at in one period */

/* --- settings --------------------------------------------------------------- */

static uint32_t
limit_of(const struct json *settings, const char *name)
{
	const struct json *v = json_get(settings, name);

	return v != NULL && v->type == JSON_INTEGER && v->integer >= 1 &&
		       v->integer <= LIMIT_MAX
		   ? (uint32_t)v->integer
		   : GATE_OPEN;
}

void
limits_read(
    const struct json *settings, unsigned exceeded, struct tenant_limits *out)
{
	const struct json *pools = json_get(settings, "pools");

	memset(out, 0, sizeof(*out));
	out->executions = limit_of(settings, "max_executions");
	out->nodes = limit_of(settings, "max_nodes");
	out->exceeded = exceeded;
	if (pools == NULL || pools->type != JSON_OBJECT)
		return;
	for (uint32_t i = 0;
	     i < pools->count && out->pool_count < TENANT_POOLS_MAX; i++) {
		const struct json_member *m = &pools->members[i];
		uint32_t limit = limit_of(pools, m->name);

		if (!pool_name_is_valid(m->name, m->name_len) ||
		    limit == GATE_OPEN)
			continue;
		memcpy(
		    out->pools[out->pool_count].name, m->name, m->name_len + 1);
		out->pools[out->pool_count++].limit = limit;
	}
}

unsigned
limits_tell(const struct actor *actor)
{
	struct tenant_limits limits;

	if (exec_tenant_known(server.exec, &actor->organization))
		return exec_tenant_exceeded(server.exec, &actor->organization);
	limits_read(actor->settings, actor->exceeded, &limits);
	exec_tenant_limit(server.exec, &actor->organization, &limits);
	return actor->exceeded;
}

void
limits_learn(const struct uuid *organization, const struct json *settings)
{
	struct tenant_limits limits;

	limits_read(
	    settings, exec_tenant_exceeded(server.exec, organization), &limits);
	exec_tenant_limit(server.exec, organization, &limits);
}

/* --- keeping them true -------------------------------------------------------- */

static struct {
	struct query query;
	struct mem mem;
	struct sql_params params;
	bool asking;
	int64_t next_ns;
	struct uuid *ids; /* of all that the executor knows */
	uint32_t count, at;
} state;

static void look(void);

static void
apply(const struct sql_rows *rows, int row)
{
	struct tenant_limits limits;
	const struct json *settings;
	struct uuid id;
	struct err e;

	err_clear(&e);
	if (!sql_get_uuid(rows, row, 0, &id) ||
	    json_parse(&state.mem, sql_get(rows, row, 1),
		sql_get_len(rows, row, 1), NULL, &settings, &e) != 0)
		return;
	limits_read(settings, (unsigned)sql_get_int(rows, row, 2), &limits);
	exec_tenant_limit(server.exec, &id, &limits);
}

static void
looked(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	int row;

	state.asking = false;
	if (q->outcome == QUERY_OK)
		for (row = 0; row < sql_count(rows); row++)
			apply(rows, row);
	else if (q->outcome == QUERY_ERROR)
		log_error("limits: %s %s", q->sqlstate, q->message);
	query_clear(q);
	if (q->outcome == QUERY_OK)
		look();
}

static bool
next_ids(void)
{
	const char **items = mem_array(&state.mem, AT_ONCE, sizeof(*items));
	uint32_t n = 0;

	for (; items != NULL && n < AT_ONCE && state.at < state.count; n++) {
		char text[UUID_TEXT];

		uuid_format(&state.ids[state.at++], text);
		items[n] = mem_strdup(&state.mem, text);
	}
	if (!mem_failed(&state.mem))
		sql_text_array(&state.params, items, n);
	return n > 0 && !mem_failed(&state.mem);
}

static void
look(void)
{
	if (state.asking || state.at == state.count)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	if (!next_ids())
		return;
	state.query.sql = &SQL_LIMITS;
	state.query.params = &state.params;
	state.query.done = looked;
	state.asking = query_submit(POOL_SYSTEM, &state.query) == 0;
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	if (state.asking || now < state.next_ns)
		return;
	state.next_ns = now + PERIOD_NS;
	state.count = exec_tenants(server.exec, state.ids, TENANTS);
	state.at = 0;
	look();
}

/* NULL: notifications begin (again). */
static void
changed(const char *payload)
{
	struct uuid id;

	if (payload != NULL && uuid_parse(payload, strlen(payload), &id))
		session_forget(&id);
	state.next_ns = 0;
	if (state.ids != NULL)
		tick(NULL, 0);
}

void
limits_start(void)
{
	database_listen("open_organizations", changed);
	if (server.worker != 0)
		return;
	mem_create(&state.mem, 0);
	state.ids = calloc(TENANTS, sizeof(*state.ids));
	if (state.ids == NULL)
		log_error("limits: out of memory");
	else
		kore_timer_add(tick, TICK_MS, NULL, 0);
}
