/* database.c - pools, the breaker, and what a pool does with a query; the
 * connections themselves are in connection.c. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/connection.h"
#include "web/kore_api.h"
#include "web/log.h"

#define TICK_MS		  100
#define BREAKER_NS	  (INT64_C(500) * 1000000)
#define WAITING_MAX	  4096
#define CHANNELS_MAX	  16
#define OPENING_MAX	  2 /* connections that a pool opens at once */
#define SYSTEM_TIMEOUT_NS (INT64_C(15) * 1000000000)

static struct pool pools[POOL_COUNT];
static struct {
	const char *name;
	void (*notified)(const char *);
} channels[CHANNELS_MAX];
static unsigned channel_count;
static const struct config *config;
static bool stopping;

/* --- connections of a pool ------------------------------------------------ */

static unsigned
pool_count(const struct pool *p, enum connection_state state)
{
	unsigned i, n = 0;

	for (i = 0; i < p->max; i++)
		n += p->connections[i].state == state;
	return n;
}

static struct database_connection *
pool_find(struct pool *p, enum connection_state state)
{
	unsigned i;

	for (i = 0; i < p->max; i++)
		if (p->connections[i].state == state &&
		    !(state == CONNECTION_IDLE && p->connections[i].stale))
			return &p->connections[i];
	return NULL;
}

static bool
pool_live(const struct pool *p)
{
	return pool_count(p, CONNECTION_IDLE) + pool_count(p, CONNECTION_BUSY) >
	       0;
}

static void
queue_remove(struct pool *p, struct query *q)
{
	if (q->previous != NULL)
		q->previous->next = q->next;
	else
		p->first = q->next;
	if (q->next != NULL)
		q->next->previous = q->previous;
	else
		p->last = q->previous;
	q->next = q->previous = NULL;
	q->queued = false;
	p->waiting--;
}

static void
queue_put(struct pool *p, struct query *q, bool front)
{
	q->queued = true;
	q->next = q->previous = NULL;
	if (p->first == NULL) {
		p->first = p->last = q;
	} else if (front) {
		q->next = p->first;
		p->first->previous = q;
		p->first = q;
	} else {
		q->previous = p->last;
		p->last->next = q;
		p->last = q;
	}
	p->waiting++;
}

/* Opens connections for those who wait, unless the database just failed. */
static void
pool_open(struct pool *p)
{
	struct database_connection *c;
	unsigned opening;

	opening = pool_count(p, CONNECTION_OPENING);
	while (!stopping && opening < OPENING_MAX && opening < p->waiting &&
	       clock_mono_ns() >= p->closed_until &&
	       (c = pool_find(p, CONNECTION_CLOSED)) != NULL) {
		connection_open(c);
		opening++;
	}
}

static void
fail_waiting(struct pool *p)
{
	struct query *q;

	while ((q = p->first) != NULL && !pool_live(p) &&
	       pool_count(p, CONNECTION_OPENING) == 0) {
		queue_remove(p, q);
		q->outcome = QUERY_UNAVAILABLE;
		snprintf(q->message, sizeof(q->message), "no database");
		p->failures++;
		q->done(q);
	}
}

/* --- called by connection.c ----------------------------------------------- */

void
pool_ready(struct database_connection *c)
{
	struct pool *p = c->pool;
	struct query *q;

	if (p->closed_until != 0)
		log_info("database: %s reached again", p->name);
	p->closed_until = 0;
	p->refused[0] = '\0';
	while (c->state == CONNECTION_IDLE && (q = p->first) != NULL) {
		queue_remove(p, q);
		connection_send(c, q);
	}
}

void
pool_failed(struct database_connection *c, const char *why, bool refused)
{
	struct pool *p = c->pool;

	if (p->closed_until == 0 && !stopping)
		log_error("database: %s: %s", p->name, why);
	if (refused)
		snprintf(p->refused, sizeof(p->refused), "%s", why);
	p->closed_until = clock_mono_ns() + BREAKER_NS;
}

void
pool_drain(struct pool *p)
{
	if (p->closed_until != 0)
		fail_waiting(p);
}

/* The schema changed: what is prepared on one connection is stale on all. Those
 * that are idle are closed by the tick, since the event loop may hold an event
 * of them. */
static void
pool_forget(struct pool *p)
{
	unsigned i;

	for (i = 0; i < p->max; i++)
		p->connections[i].stale = true;
}

/* The statement changed nothing and finds what it needs when it is sent again:
 * it must be prepared anew, or a row that it waited for went to another
 * partition meanwhile (an execution that finished). */
static bool
pool_repeats(struct pool *p, const struct query *q)
{
	if (q->outcome != QUERY_ERROR || q->retried || stopping)
		return false;
	if (strcmp(q->sqlstate, "40001") == 0)
		return true;
	if (!connection_stale_plan(q))
		return false;
	pool_forget(p);
	return true;
}

void
pool_done(struct pool *p, struct query *q)
{
	struct database_connection *c;

	if (q->outcome != QUERY_OK)
		p->failures++;
	if (pool_repeats(p, q)) {
		q->retried = true;
		queue_put(p, q, true);
		if ((c = pool_find(p, CONNECTION_IDLE)) != NULL)
			pool_ready(c);
		else
			pool_open(p);
		return;
	}
	q->done(q);
}

void
pool_notified(const char *channel, const char *payload)
{
	unsigned i;

	for (i = 0; i < channel_count; i++)
		if (channel == NULL || strcmp(channels[i].name, channel) == 0)
			channels[i].notified(payload);
}

const char *
pool_channel(unsigned i)
{
	return i < channel_count ? channels[i].name : NULL;
}

/* --- the clock ------------------------------------------------------------ */

/* A pool that is away is tried again here, so that requests never wait for it;
 * the journal and the listener are kept open. */
static void
pool_tick(struct pool *p, int64_t now)
{
	struct database_connection *c;
	unsigned i;

	for (i = 0; i < p->max; i++)
		connection_check(&p->connections[i], now);
	pool_drain(p);
	if (stopping || now < p->closed_until ||
	    pool_count(p, CONNECTION_OPENING) > 0 || pool_live(p))
		return;
	if ((c = pool_find(p, CONNECTION_CLOSED)) != NULL)
		connection_open(c);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();
	unsigned i;

	(void)arg;
	(void)now_ms;
	for (i = 0; i < POOL_COUNT; i++)
		pool_tick(&pools[i], now);
}

/* --- public --------------------------------------------------------------- */

int
query_submit(enum database_pool which, struct query *q)
{
	struct pool *p = &pools[which];
	struct database_connection *c;

	q->outcome = QUERY_UNAVAILABLE;
	q->pool = p;
	q->result = NULL;
	q->connection = NULL;
	q->queued = q->retried = false;
	q->sqlstate[0] = q->constraint[0] = '\0';
	snprintf(q->message, sizeof(q->message), "no database");
	p->queries++;
	if ((c = pool_find(p, CONNECTION_IDLE)) != NULL && p->first == NULL) {
		connection_send(c, q);
		return 0;
	}
	if (stopping || p->waiting >= WAITING_MAX ||
	    (p->closed_until != 0 && !pool_live(p))) {
		p->failures++;
		return -1;
	}
	queue_put(p, q, false);
	pool_open(p);
	if (p->closed_until != 0 && !pool_live(p) &&
	    pool_count(p, CONNECTION_OPENING) == 0) {
		queue_remove(p, q); /* refused at once */
		p->failures++;
		return -1;
	}
	return 0;
}

void
query_forget(struct query *q)
{
	if (q->queued)
		queue_remove(q->pool, q);
	if (q->connection != NULL) {
		q->connection->query = NULL;
		q->connection = NULL;
	}
	query_clear(q);
}

bool
query_refused(const struct query *q)
{
	return q->outcome == QUERY_ERROR &&
	       (strncmp(q->sqlstate, "22", 2) == 0 ||
		   strncmp(q->sqlstate, "23", 2) == 0 ||
		   strncmp(q->sqlstate, "54", 2) == 0);
}

void
query_clear(struct query *q)
{
	PQclear(q->result);
	q->result = NULL;
}

void
database_listen(const char *channel, void (*notified)(const char *))
{
	if (channel_count == CHANNELS_MAX)
		abort();
	channels[channel_count].name = channel;
	channels[channel_count++].notified = notified;
}

/* KEYWORD='VALUE', as libpq reads it back. */
static void
conninfo_put(struct buf *b, const char *keyword, const char *value)
{
	buf_printf(b, "%s='", keyword);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(b, '\\');
		buf_putc(b, *value);
	}
	buf_puts(b, "' ");
}

/* What the URL says and, since the last word counts, how sessions of ours
 * behave. Plans are kept while tables grow: a scan that is best for ten rows
 * must not be what finds one of ten million. */
static void
pool_conninfo(
    struct pool *p, const char *role, const char *timeout, const char *more)
{
	struct buf url, info, settings;
	PQconninfoOption *options, *o;
	char *fault = NULL;

	buf_create(&url, 0);
	buf_create(&info, 0);
	buf_create(&settings, 0);
	config_database(config, false, &url);
	options = buf_failed(&url) ? NULL : PQconninfoParse(url.data, &fault);
	if (options == NULL)
		log_error("database: database_url: %s",
		    fault == NULL ? "out of memory" : fault);
	for (o = options; o != NULL && o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "options") == 0)
			buf_printf(&settings, "%s ", o->val);
		else
			conninfo_put(&info, o->keyword, o->val);
	}
	buf_printf(&settings,
	    "-c role=%s -c statement_timeout=%s -c timezone=UTC "
	    "-c enable_seqscan=off -c datestyle=ISO -c intervalstyle=postgres "
	    "-c jit=off "
	    "-c client_min_messages=warning -c bytea_output=hex%s",
	    role, timeout, more);
	if (!buf_failed(&settings))
		conninfo_put(&info, "options", settings.data);
	buf_puts(&info, "application_name=open gssencmode=disable "
			"tcp_user_timeout=15000 client_encoding=UTF8 "
			"connect_timeout=3");
	if (options != NULL && !buf_failed(&settings))
		p->conninfo = buf_take(&info, NULL);
	PQfreemem(fault);
	PQconninfoFree(options);
	buf_free(&url);
	buf_free(&info);
	buf_free(&settings);
}

static void
pool_start(struct pool *p, const char *name, const char *role, int64_t max,
    int64_t timeout_ns, const char *more)
{
	char timeout[32];
	unsigned i;

	memset(p, 0, sizeof(*p));
	p->name = name;
	p->max = (unsigned)max;
	p->connect_timeout_ns = config->database_connect_timeout;
	p->busy_limit_ns = timeout_ns * 2;
	snprintf(timeout, sizeof(timeout), "%lld",
	    (long long)(timeout_ns / 1000000));
	pool_conninfo(p, role, timeout, more);
	pgsql_conn_max = (u_int16_t)p->max;
	if (p->conninfo != NULL)
		kore_pgsql_register(p->name, p->conninfo);
	if ((p->connections = calloc(p->max, sizeof(*p->connections))) == NULL)
		abort();
	for (i = 0; i < p->max; i++)
		connection_create(&p->connections[i], p);
}

void
database_start(const struct config *c)
{
	config = c;
	pool_start(&pools[POOL_API], "requests", "open_server",
	    c->database_connections, c->request_timeout, "");
	pool_start(&pools[POOL_SYSTEM], "system", "open_system",
	    c->system_connections - 2, SYSTEM_TIMEOUT_NS, "");
	/* Planning anew takes longer than writing a small batch; and the one
	 * plan must find executions by id, though the tables were empty when it
	 * was made. */
	pool_start(&pools[POOL_JOURNAL], "journal", "open_system", 1,
	    SYSTEM_TIMEOUT_NS,
	    " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"
	    " -c enable_bitmapscan=off -c enable_hashjoin=off"
	    " -c enable_mergejoin=off");
	pool_start(&pools[POOL_LISTEN], "notifications", "open_system", 1,
	    SYSTEM_TIMEOUT_NS, "");
	pools[POOL_LISTEN].listens = true;
	tick(NULL, 0);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}

void
database_stop(void)
{
	struct pool *p;
	unsigned i;

	stopping = true;
	for (p = pools; p < pools + POOL_COUNT; p++) {
		for (i = 0; i < p->max; i++)
			connection_close(&p->connections[i]);
		free(p->connections);
		free(p->conninfo);
		p->connections = NULL;
		p->conninfo = NULL;
		p->max = 0;
	}
}

void
database_status(enum database_pool which, struct database_status *out)
{
	const struct pool *p = &pools[which];

	memset(out, 0, sizeof(*out));
	out->reached = pool_live(p);
	out->refused = p->refused[0] == '\0' ? NULL : p->refused;
	out->busy = pool_count(p, CONNECTION_BUSY);
	out->open = out->busy + pool_count(p, CONNECTION_IDLE);
	out->waiting = p->waiting;
	out->queries = p->queries;
	out->failures = p->failures;
}

unsigned
database_entry_oid(enum database_pool which)
{
	return pools[which].entry_oid;
}

void
database_pump(int timeout_ms)
{
	struct pollfd fds[64];
	struct database_connection *who[64];
	nfds_t i, n = 0;
	unsigned k;
	struct pool *p;

	for (p = pools; p < pools + POOL_COUNT; p++)
		for (k = 0; k < p->max && n < 64; k++) {
			who[n] = &p->connections[k];
			fds[n].fd = connection_socket(who[n]);
			fds[n].events = connection_wants(who[n]);
			n += fds[n].fd >= 0;
		}
	if (poll(fds, n, timeout_ms) < 1)
		return;
	for (i = 0; i < n; i++)
		if (fds[i].revents != 0)
			connection_step(who[i]);
}
