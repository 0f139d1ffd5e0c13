/* connection.c - one of Kore's pgsql connections, used without ever blocking:
 * held for as long as it lives, in pipeline mode all its life, one round at a
 * time.
 *
 *   closed ─knock─► opening ─hold, greet─► idle ⇄ busy ─► closed
 * Kore's pgsql opens, watches and reads it (kore_pgsql_handle); what Kore 4.1.0
 * can't do is kept away from it: a connect that blocks (we knock first), an event
 * without a callback (connection_event stands before Kore's handler), reading in
 * a loop while a result is incomplete (Kore is called when one is complete).
 */

#include <libpq-events.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/connection.h"
#include "web/log.h"

/* Who we are, whether that is a role we may work as, and the type of the
 * journal's parameter. */
static const char greeting[] =
    "select s.rolsuper or s.rolbypassrls or r.rolsuper or r.rolbypassrls,"
    " exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n"
    " on n.oid = c.relnamespace where n.nspname = 'open'"
    " and c.relowner = r.oid),"
    " coalesce(pg_catalog.to_regtype('open.node_history_entry')::oid, 0)"
    " from pg_catalog.pg_roles r, pg_catalog.pg_roles s"
    " where r.rolname = current_user and s.rolname = session_user";
static const char set_actor[] =
    "select pg_catalog.set_config('open.actor', $1, true),"
    " pg_catalog.set_config('plan_cache_mode', $2, true)";

static void knock_event(void *, int);
static void connection_event(void *, int);

void
connection_create(struct database_connection *c, struct pool *p)
{
	memset(c, 0, sizeof(*c));
	c->event.type = KORE_TYPE_TASK;
	c->event.handle = knock_event;
	c->pool = p;
	c->state = CONNECTION_CLOSED;
}

static void
enter(struct database_connection *c, enum connection_state state)
{
	c->state = state;
	c->since_ns = clock_mono_ns();
}

/* Level-triggered: a result may need several reads. */
static void
watch(struct database_connection *c, int events)
{
	if (c->watched != events)
		kore_platform_event_schedule(PQsocket(c->pgsql.conn->db),
		    events | EPOLLRDHUP, 0, c->pgsql.conn);
	c->watched = events;
}

static PGconn *
link_of(const struct database_connection *c)
{
	return c->pgsql.conn->db;
}

int
connection_socket(const struct database_connection *c)
{
	if (c->knock != NULL)
		return PQsocket(c->knock);
	return c->held ? PQsocket(link_of(c)) : -1;
}

void
connection_step(struct database_connection *c)
{
	if (c->knock != NULL) {
		knock_event(c, 0);
	} else if (c->held) {
		c->pgsql.conn->evt.flags |= KORE_EVENT_READ;
		connection_event(c->pgsql.conn, 0);
	}
}

short
connection_wants(const struct database_connection *c)
{
	return (short)(POLLIN | (c->writing || c->knock != NULL ? POLLOUT : 0));
}

/* --- the prepared statements of a connection ------------------------------ */

static uint64_t
key_of(const struct sql *sql)
{
	uint64_t key = strtoull(sql->key + 1, NULL, 16);

	return key == 0 ? 1 : key;
}

static unsigned
slot_of(const struct database_connection *c, uint64_t key)
{
	unsigned i = (unsigned)(key % PREPARED_SLOTS);

	while (c->prepared[i] != 0 && c->prepared[i] != key)
		i = (i + 1) % PREPARED_SLOTS;
	return i;
}

/* --- ends ----------------------------------------------------------------- */

static void
round_reset(struct database_connection *c)
{
	PQclear(c->result);
	c->result = NULL;
	c->query = NULL;
	c->preparing = c->results = 0;
	c->failed = false;
	c->sqlstate[0] = c->constraint[0] = c->message[0] = '\0';
}

/* Hands the round's outcome to its owner, if it still has one. */
static void
deliver(struct database_connection *c, struct query *q)
{
	q->connection = NULL;
	memcpy(q->sqlstate, c->sqlstate, sizeof(q->sqlstate));
	memcpy(q->constraint, c->constraint, sizeof(q->constraint));
	memcpy(q->message, c->message, sizeof(q->message));
	q->outcome = c->failed ? QUERY_ERROR : QUERY_OK;
	if (!c->failed) {
		q->result = c->result;
		c->result = NULL;
	}
}

static void
knock_end(struct database_connection *c)
{
	PQfinish(c->knock);
	c->knock = NULL;
}

/* Kore's way to end a connection is to tell its handler of an error; it frees
 * struct pgsql_conn. */
void
connection_close(struct database_connection *c)
{
	struct query *q = c->query;

	knock_end(c);
	if (c->held) {
		c->held = false;
		if (c->pgsql.conn != NULL)
			kore_pgsql_handle(c->pgsql.conn, 1);
		kore_pgsql_cleanup(&c->pgsql);
	}
	enter(c, CONNECTION_CLOSED);
	round_reset(c);
	if (q == NULL)
		return;
	q->connection = NULL;
	q->outcome = QUERY_LOST;
	pool_done(c->pool, q);
}

/* The connection is broken, or never came to be. */
static void
connection_lost(struct database_connection *c, const char *why, bool refused)
{
	struct pool *p = c->pool;
	struct query *q = c->query;
	bool opening = c->state == CONNECTION_OPENING;

	if (!opening)
		log_warning("database: %s: connection lost: %s", p->name, why);
	if (q != NULL)
		snprintf(q->message, sizeof(q->message), "%s", why);
	if (opening)
		pool_failed(c, why, refused);
	connection_close(c);
	pool_drain(p);
}

static void
connection_broken(struct database_connection *c, const char *error)
{
	char why[200];

	snprintf(why, sizeof(why), "%s",
	    error == NULL || error[0] == '\0' ? "closed" : error);
	connection_lost(c, why, false);
}

/* Where libpq refuses to send, the next tick finds the connection overdue: its
 * query must not end while it is being submitted. */
static void
send_all(struct database_connection *c, bool sent)
{
	int rc = -1;

	if (sent && PQpipelineSync(link_of(c)))
		rc = PQflush(link_of(c));
	if (rc < 0) {
		c->since_ns = 0;
		return;
	}
	c->writing = rc > 0;
	c->pgsql.state = KORE_PGSQL_STATE_WAIT;
	c->pgsql.flags |= KORE_PGSQL_SCHEDULED;
	watch(c, c->writing ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* --- opening -------------------------------------------------------------- */

static void
notice(void *arg, const char *message)
{
	log_debug("database: %s: %s", (const char *)arg, message);
}

static void
greet(struct database_connection *c)
{
	const char *channel;
	PGconn *pg = link_of(c);
	char text[100];
	unsigned i;
	bool sent;

	round_reset(c);
	memset(c->prepared, 0, sizeof(c->prepared));
	c->prepared_count = 0;
	c->watched = 0;
	c->greeting = true;
	PQsetNoticeProcessor(pg, notice, (void *)(uintptr_t)c->pool->name);
	sent = PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) &&
	       PQsendPrepare(pg, "actor", set_actor, 0, NULL);
	for (i = 0;
	     sent && c->pool->listens && (channel = pool_channel(i)) != NULL;
	     i++) {
		snprintf(text, sizeof(text), "listen %s", channel);
		sent =
		    PQsendQueryParams(pg, text, 0, NULL, NULL, NULL, NULL, 0);
	}
	c->at = 1 + i;
	sent = sent &&
	       PQsendQueryParams(pg, greeting, 0, NULL, NULL, NULL, NULL, 0);
	send_all(c, sent);
}

static void
greeted(struct database_connection *c)
{
	static const char *const refusals[] = {
	    "the role may bypass row-level security: the server refuses to "
	    "work as it",
	    "the role owns tables of the schema: the server refuses to work "
	    "as it"};
	const PGresult *r = c->result;
	int i;

	if (c->failed || r == NULL || PQntuples(r) != 1) {
		connection_lost(
		    c, c->failed ? c->message : "no such role", false);
		return;
	}
	for (i = 0; i < 2; i++)
		if (PQgetvalue(r, 0, i)[0] == 't') {
			connection_lost(c, refusals[i], true);
			return;
		}
	c->pool->entry_oid = (unsigned)strtoul(PQgetvalue(r, 0, 2), NULL, 10);
	round_reset(c);
	enter(c, CONNECTION_IDLE);
	if (c->pool->listens)
		pool_notified(NULL, NULL);
	pool_ready(c);
}

/* Kore calls it for every change, also with the state that a notification left,
 * whose texts are gone by then. All else is looked at in connection_event. */
static void
pgsql_changed(struct kore_pgsql *pgsql, void *arg)
{
	(void)arg;
	if (pgsql->state == KORE_PGSQL_STATE_NOTIFY)
		pool_notified(pgsql->notify.channel, pgsql->notify.extra);
	pgsql->state = KORE_PGSQL_STATE_WAIT; /* or it would come again */
}

/* Kore's handler knows struct pgsql_conn, libpq whose that is. */
static int
owner(PGEventId id, void *info, void *arg)
{
	(void)id;
	(void)info;
	(void)arg;
	return 1;
}

/* Somebody answered: take a connection from Kore, for good. */
static void
hold(struct database_connection *c)
{
	knock_end(c);
	kore_pgsql_init(&c->pgsql);
	kore_pgsql_bind_callback(&c->pgsql, pgsql_changed, c);
	if (!kore_pgsql_setup(&c->pgsql, c->pool->name, KORE_PGSQL_ASYNC)) {
		char why[200];

		snprintf(why, sizeof(why), "%s",
		    c->pgsql.error == NULL ? "not opened" : c->pgsql.error);
		kore_pgsql_cleanup(&c->pgsql);
		connection_lost(c, why, false);
		return;
	}
	c->held = true;
	c->pgsql.conn->evt.handle = connection_event;
	if (!PQregisterEventProc(link_of(c), owner, "open", NULL) ||
	    !PQsetInstanceData(link_of(c), owner, c)) {
		connection_lost(c, "out of memory", false);
		return;
	}
	greet(c);
}

static void
knock_watch(struct database_connection *c, int events)
{
	kore_platform_event_schedule(
	    PQsocket(c->knock), events | EPOLLRDHUP, 0, c);
}

static void
knock_event(void *arg, int error)
{
	struct database_connection *c = arg;

	(void)error;
	c->event.flags = 0;
	if (c->knock == NULL)
		return; /* an event of before it was closed */
	switch (PQconnectPoll(c->knock)) {
	case PGRES_POLLING_READING:
		knock_watch(c, EPOLLIN);
		return;
	case PGRES_POLLING_WRITING:
		knock_watch(c, EPOLLOUT);
		return;
	case PGRES_POLLING_OK:
		hold(c);
		return;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		break;
	}
	connection_broken(c, PQerrorMessage(c->knock));
}

void
connection_open(struct database_connection *c)
{
	const struct pool *p = c->pool;
	char why[200];

	c->greeting = c->writing = c->stale = false;
	enter(c, CONNECTION_OPENING);
	c->knock = p->conninfo == NULL ? NULL : PQconnectStart(p->conninfo);
	if (c->knock != NULL && PQstatus(c->knock) != CONNECTION_BAD) {
		knock_watch(c, EPOLLOUT);
		return;
	}
	snprintf(why, sizeof(why), "%s",
	    c->knock == NULL ? "no connection string"
			     : PQerrorMessage(c->knock));
	knock_end(c);
	enter(c, CONNECTION_CLOSED);
	pool_failed(c, why, false);
}

/* --- a round -------------------------------------------------------------- */

void
connection_send(struct database_connection *c, struct query *q)
{
	static const struct sql_params none;
	const struct sql_params *p = q->params == NULL ? &none : q->params;
	const char *actor[2];
	bool anew = q->sql->key[0] == '\0', sent = true;

	round_reset(c);
	enter(c, CONNECTION_BUSY);
	c->query = q;
	q->connection = c;
	c->at = 0;
	if (q->actor != NULL) {
		actor[0] = q->actor;
		actor[1] = q->planned_once ? "force_generic_plan" : "auto";
		sent = PQsendQueryPrepared(
		    link_of(c), "actor", 2, actor, NULL, NULL, 0);
		c->at++;
	}
	if (sent && (anew || c->prepared[slot_of(c, key_of(q->sql))] == 0)) {
		c->preparing = anew ? 0 : key_of(q->sql);
		sent = PQsendPrepare(
		    link_of(c), q->sql->key, q->sql->text, 0, NULL);
		c->at++;
	}
	sent = sent && PQsendQueryPrepared(link_of(c), q->sql->key, p->count,
			   (const char *const *)p->values, p->lengths,
			   p->formats, q->binary);
	send_all(c, sent);
}

static void
keep_error(struct database_connection *c, const PGresult *r)
{
	const char *s;

	if (c->failed)
		return;
	c->failed = true;
	s = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	snprintf(c->sqlstate, sizeof(c->sqlstate), "%s", s == NULL ? "" : s);
	s = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
	snprintf(
	    c->constraint, sizeof(c->constraint), "%s", s == NULL ? "" : s);
	s = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	snprintf(c->message, sizeof(c->message), "%s",
	    s == NULL ? PQresultErrorMessage(r) : s);
}

static void
round_end(struct database_connection *c)
{
	struct query *q = c->query;
	struct pool *p = c->pool;

	if (c->state == CONNECTION_OPENING) {
		greeted(c);
		return;
	}
	if (q != NULL)
		deliver(c, q);
	c->stale = c->stale || (q != NULL && connection_stale_plan(q));
	round_reset(c);
	if (c->stale || c->prepared_count > PREPARED_SLOTS / 2)
		connection_close(c);
	else
		enter(c, CONNECTION_IDLE);
	if (q != NULL)
		pool_done(p, q);
	if (c->state == CONNECTION_IDLE)
		pool_ready(c);
}

bool
connection_stale_plan(const struct query *q)
{
	return q->outcome == QUERY_ERROR &&
	       (strcmp(q->sqlstate, "26000") == 0 ||
		   strcmp(q->sqlstate, "0A000") == 0);
}

/* True: the round ended with it. */
static bool
take_result(struct database_connection *c, PGresult *r)
{
	switch (PQresultStatus(r)) {
	case PGRES_PIPELINE_SYNC:
		PQclear(r);
		round_end(c);
		return true;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (c->results == c->at) {
			c->result = r;
			r = NULL;
		} else if (c->preparing != 0 && c->results + 1 == c->at) {
			c->prepared[slot_of(c, c->preparing)] = c->preparing;
			c->prepared_count++;
		}
		break;
	case PGRES_FATAL_ERROR:
	case PGRES_BAD_RESPONSE:
		keep_error(c, r);
		break;
	case PGRES_EMPTY_QUERY:
	case PGRES_COPY_OUT:
	case PGRES_COPY_IN:
	case PGRES_COPY_BOTH:
	case PGRES_NONFATAL_ERROR:
	case PGRES_SINGLE_TUPLE:
	case PGRES_PIPELINE_ABORTED:
		break;
	}
	c->results++;
	PQclear(r);
	return false;
}

/* Sends what libpq still holds; false: the connection broke. */
static bool
step_write(struct database_connection *c)
{
	int rc;

	if (!c->writing)
		return true;
	if ((rc = PQflush(link_of(c))) < 0)
		return false;
	c->writing = rc > 0;
	if (!c->writing)
		watch(c, EPOLLIN);
	return true;
}

/* What Kore read: NULL between two results of a pipeline only separates them.
 * True: the round ended with it. */
static bool
step_result(struct database_connection *c, unsigned *nulls)
{
	struct kore_pgsql *pgsql = &c->pgsql;
	PGresult *r = pgsql->result;

	pgsql->result = NULL;
	kore_free(pgsql->error);
	pgsql->error = NULL;
	pgsql->state = KORE_PGSQL_STATE_WAIT;
	if (r == NULL) {
		(*nulls)++;
		return false;
	}
	*nulls = 0;
	return take_result(c, r);
}

/* As long as there are complete results, and none can be missed: two NULLs in a
 * row mean that there is nothing more. */
static void
step_read(struct database_connection *c)
{
	unsigned nulls = 0;

	if (!PQconsumeInput(link_of(c))) {
		connection_broken(c, PQerrorMessage(link_of(c)));
		return;
	}
	do {
		if (PQisBusy(link_of(c)))
			return;
		c->pgsql.conn->evt.flags |= KORE_EVENT_READ;
		kore_pgsql_handle(c->pgsql.conn, 0);
		if (step_result(c, &nulls))
			return;
	} while (c->held && c->state != CONNECTION_IDLE && nulls < 2);
	if (c->held && PQstatus(link_of(c)) == CONNECTION_BAD)
		connection_broken(c, PQerrorMessage(link_of(c)));
}

static void
connection_event(void *arg, int error)
{
	struct pgsql_conn *conn = arg;
	struct database_connection *c = PQinstanceData(conn->db, owner);

	if (!step_write(c)) {
		connection_broken(c, PQerrorMessage(link_of(c)));
		return;
	}
	step_read(c);
	if (c->held && c->pgsql.conn == conn)
		conn->evt.flags = 0;
	if (error && c->held && c->state == CONNECTION_IDLE)
		connection_lost(c, "closed by the database", false);
}

void
connection_check(struct database_connection *c, int64_t now)
{
	int64_t age = now - c->since_ns;

	if (c->state == CONNECTION_IDLE && c->stale)
		connection_close(c);
	else if (c->state == CONNECTION_OPENING &&
		 age > c->pool->connect_timeout_ns)
		connection_lost(c, "no answer in time", false);
	else if (c->state == CONNECTION_BUSY && age > c->pool->busy_limit_ns)
		connection_lost(c, "no answer in time", false);
}
