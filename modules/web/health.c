/* health.c - GET /healthz, /readyz, /metrics, and the answer to paths that
 * don't exist.
 *
 * Whether the migrations are current is asked every second, not per request.
 */

#include <inttypes.h>
#include <string.h>

#include "web/lease.h"
#include "web/log.h"
#include "web/request.h"
#include "web/route.h"
#include "web_sql.h"

#define CHECK_MS 1000

int web_healthz(struct http_request *);
int web_readyz(struct http_request *);
int web_metrics(struct http_request *);
int web_not_found(struct http_request *);

static struct query check;
static bool checking;
static enum {
	SCHEMA_UNKNOWN,
	SCHEMA_CURRENT,
	SCHEMA_OTHER
} schema;

/* --- the schema, every second --------------------------------------------- */

static void
checked(struct query *q)
{
	const char *applied;

	checking = false;
	if (q->outcome == QUERY_OK) {
		applied = PQgetvalue(q->result, 0, 0);
		schema = strcmp(applied, server.migrations) == 0
			     ? SCHEMA_CURRENT
			     : SCHEMA_OTHER;
	} else if (q->outcome == QUERY_ERROR) {
		schema = SCHEMA_OTHER;
	}
	query_clear(q);
}

static void
publish(void)
{
	struct database_status s;
	struct counters *c = server.mine;
	uint32_t open = 0, busy = 0, waiting = 0;
	int i;

	for (i = 0; i < POOL_COUNT; i++) {
		database_status((enum database_pool)i, &s);
		open += s.open;
		busy += s.busy;
		waiting += s.waiting;
	}
	atomic_store(&c->connections_open, open);
	atomic_store(&c->connections_busy, busy);
	atomic_store(&c->waiting, waiting);
	atomic_store(&c->journal_lag_ns, journal_lag_ns(server.exec));
}

static void
tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	publish();
	if (checking)
		return;
	check.sql = &SQL_HEALTH;
	check.done = checked;
	checking = query_submit(POOL_SYSTEM, &check) == 0;
}

void
health_start(void)
{
	tick(NULL, 0);
	kore_timer_add(tick, CHECK_MS, NULL, 0);
}

/* --- /healthz, /readyz ---------------------------------------------------- */

static enum flow_next
reply_text(struct flow *f, int status, const char *text)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, text);
	return flow_reply(f, status, &b, "text/plain; charset=utf-8", NULL);
}

static enum flow_next
healthz(struct flow *f)
{
	return reply_text(f, 200, "ok\n");
}

static enum flow_next
readyz(struct flow *f)
{
	struct database_status s;

	database_status(POOL_API, &s);
	if (s.refused != NULL)
		return flow_fail(f, 503, "database_role", "%s", s.refused);
	if (!s.reached)
		return flow_unavailable(f);
	if (schema != SCHEMA_CURRENT)
		return flow_fail(f, 503, "migrations_pending",
		    schema == SCHEMA_UNKNOWN
			? "The schema was not looked at yet."
			: "The database's migrations are not those of this "
			  "server; run openctl migrate.");
	if (lease_epoch() == 0)
		return flow_fail(f, 503, "server_not_ready",
		    lease_fenced() ? "The server has lost its lease and ends."
				   : "The server has no lease yet.");
	return reply_text(f, 200, "ready\n");
}

/* --- /metrics ------------------------------------------------------------- */

static void
family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP open_%s %s\n# TYPE open_%s %s\n", name, help,
	    name, type);
}

static void
metric(struct buf *b, const char *name, const char *type, const char *help,
    uint64_t value)
{
	family(b, name, type, help);
	buf_printf(b, "open_%s %" PRIu64 "\n", name, value);
}

static void
seconds(struct buf *b, const char *name, const char *type, const char *help,
    uint64_t ns)
{
	family(b, name, type, help);
	buf_printf(b, "open_%s %.6f\n", name, (double)ns / 1e9);
}

static void
metrics_requests(struct buf *b)
{
	uint64_t ns = 0, n;
	unsigned g, w;

	family(b, "http_requests_total", "counter",
	    "Requests answered, by the status' first digit.");
	for (g = 1; g < STATUS_GROUPS; g++) {
		for (n = 0, w = 0; w < WORKERS_MAX; w++)
			n += atomic_load(&server.counters[w].requests[g]);
		buf_printf(b,
		    "open_http_requests_total{status=\"%uxx\"} %" PRIu64 "\n",
		    g, n);
	}
	for (w = 0; w < WORKERS_MAX; w++)
		ns += atomic_load(&server.counters[w].request_ns);
	seconds(b, "http_request_seconds_total", "counter",
	    "Time from the first to the last byte of all requests.", ns);
}

#define SUM(field)                                                             \
	({                                                                     \
		uint64_t sum_ = 0;                                             \
		unsigned w_;                                                   \
		for (w_ = 0; w_ < WORKERS_MAX; w_++)                           \
			sum_ +=                                                \
			    (uint64_t)atomic_load(&server.counters[w_].field); \
		sum_;                                                          \
	})

static void
metrics_database(struct buf *b)
{
	int64_t lag = 0, one;
	unsigned w;

	metric(b, "database_queries_total", "counter",
	    "Statements of requests.", SUM(queries));
	metric(b, "database_query_failures_total", "counter",
	    "Statements of requests that failed.", SUM(query_failures));
	metric(b, "database_connections", "gauge", "Open connections.",
	    SUM(connections_open));
	metric(b, "database_connections_busy", "gauge",
	    "Connections with a statement under way.", SUM(connections_busy));
	metric(b, "database_waiting", "gauge",
	    "Statements that wait for a connection.", SUM(waiting));
	metric(b, "journal_batches_total", "counter",
	    "Batches that the journal wrote.", SUM(journal_batches));
	metric(b, "journal_entries_total", "counter",
	    "Entries of executions in them.", SUM(journal_entries));
	metric(b, "journal_nodes_total", "counter",
	    "Completions of nodes in them.", SUM(journal_nodes));
	metric(b, "journal_failures_total", "counter",
	    "Batches that were not written and are tried again.",
	    SUM(journal_failures));
	for (w = 0; w < WORKERS_MAX; w++) {
		one = atomic_load(&server.counters[w].journal_lag_ns);
		lag = one > lag ? one : lag;
	}
	seconds(b, "journal_lag_seconds", "gauge",
	    "How long the oldest transition waits to be written.",
	    (uint64_t)lag);
}

static void
metrics_executor(struct buf *b)
{
	struct exec_status s;

	exec_status(server.exec, &s);
	metric(b, "executions_started_total", "counter",
	    "Executions that requests started.", SUM(started));
	metric(b, "executions_adopted_total", "counter",
	    "Executions taken over from the database.", SUM(adopted));
	metric(b, "executions_completed_total", "counter",
	    "Executions that ended.", s.runs_completed);
	metric(b, "nodes_completed_total", "counter", "Nodes that ended.",
	    s.nodes_completed);
	metric(b, "takeovers_total", "counter",
	    "Arenas that took over another's executions.", s.takeovers);
	metric(b, "executions", "gauge", "Executions in memory.", s.runs);
	metric(
	    b, "executions_max", "gauge", "Room for executions.", s.runs_max);
	metric(b, "plans", "gauge", "Plans in memory.", s.plans);
	metric(
	    b, "shared_memory_bytes", "gauge", "Shared memory.", s.bytes_total);
	metric(b, "shared_memory_free_bytes", "gauge",
	    "Shared memory that is free.", s.bytes_free);
	metric(b, "arenas", "gauge", "Arenas.", s.arenas);
	metric(b, "arenas_alive", "gauge", "Arenas with a living owner.",
	    s.arenas_alive);
}

static void
metrics_history(struct buf *b)
{
	metric(b, "history_looks_total", "counter",
	    "How often this server looked for old history.",
	    SUM(history_looks));
	metric(b, "history_partitions_dropped_total", "counter",
	    "Partitions of old history that were dropped.",
	    SUM(partitions_dropped));
	metric(b, "history_executions_expired_total", "counter",
	    "Executions deleted because their organization keeps less.",
	    SUM(executions_expired));
}

static void
metrics_mail(struct buf *b)
{
	metric(b, "mails_sent_total", "counter", "Mails that this server sent.",
	    SUM(mails_sent));
	metric(b, "mail_failures_total", "counter",
	    "Attempts to send a mail that failed.", SUM(mail_failures));
	metric(b, "mails_given_up_total", "counter",
	    "Mails that this server gave up.", SUM(mails_given_up));
	metric(b, "mails_waiting", "gauge",
	    "Mails in the outbox that are not sent yet.", SUM(mails_waiting));
	metric(b, "mails_failed", "gauge",
	    "Mails in the outbox that were given up.", SUM(mails_failed));
}

static void
metrics_lease(struct buf *b)
{
	int64_t age = lease_age_ns();

	metric(b, "server_epoch", "gauge",
	    "Epoch of this server; 0: it has no lease.",
	    (uint64_t)lease_epoch());
	seconds(b, "server_lease_age_seconds", "gauge",
	    "Since this server's lease was renewed.",
	    age < 0 ? 0 : (uint64_t)age);
	metric(b, "servers", "gauge",
	    "Servers that work on the database, as far as this one knows.",
	    lease_epoch() == 0 ? 0 : lease_others() + 1);
}

static enum flow_next
metrics(struct flow *f)
{
	struct buf b;

	publish();
	buf_create(&b, 0);
	metrics_requests(&b);
	metrics_database(&b);
	metrics_executor(&b);
	metrics_lease(&b);
	metrics_history(&b);
	metrics_mail(&b);
	return flow_reply(
	    f, 200, &b, "text/plain; version=0.0.4; charset=utf-8", NULL);
}

static enum flow_next
not_found(struct flow *f)
{
	return flow_fail(f, 404, "not_found", "There is nothing here.");
}

/* --- routes --------------------------------------------------------------- */

static const struct flow_step healthz_steps[] = {FLOW_STEP(healthz), FLOW_END};
static const struct flow_step readyz_steps[] = {FLOW_STEP(readyz), FLOW_END};
static const struct flow_step metrics_steps[] = {FLOW_STEP(metrics), FLOW_END};
static const struct flow_step not_found_steps[] = {
    FLOW_STEP(not_found), FLOW_END};

ROUTE(web_healthz, {"GET", healthz_steps, 0, POLICY_PUBLIC})
ROUTE(web_readyz, {"GET", readyz_steps, 0, POLICY_PUBLIC})
ROUTE(web_metrics, {"GET", metrics_steps, 0, POLICY_PUBLIC})

int
web_not_found(struct http_request *req)
{
	return flow_run(req, POLICY_PUBLIC, not_found_steps, 0);
}
