/* sql_connection.c - one libpq connection of the sql driver:
 *
 *   naming → connecting → running → resetting → idle → running …
 *                │           │          │         │
 *                └───────────┴── lost ──┴─────────┴──► closed
 *
 * Servers may be hostile: whatever one sends without having been asked, or more
 * than was asked for, ends the connection.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "exec/sql_client.h"

#define IDLE_NS	    INT64_C(15000000000)
#define RESET_NS    INT64_C(5000000000)
#define SLACK_BYTES 262144 /* of the protocol, besides rows */

/* --- events --------------------------------------------------------------- */

static bool
watch(struct sql_client *c, struct sql_connection *n, bool write)
{
	struct epoll_event event = {
	    .events = write ? EPOLLIN | EPOLLOUT : EPOLLIN,
	    .data.u64 = (uint64_t)n->index << 32 | n->generation};
	int fd = PQsocket(n->pg);

	if (fd < 0)
		return false;
	n->writing = write;
	/* libpq may have closed a socket and opened another one, maybe of the
	 * same number. */
	if (n->fd == fd && epoll_ctl(c->fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return true;
	n->fd = fd;
	return epoll_ctl(c->fd, EPOLL_CTL_ADD, fd, &event) == 0 ||
	       epoll_ctl(c->fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

/* Bytes that came from the socket so far: libpq's buffers grow with what a
 * server sends, and can't be limited. */
static uint64_t
bytes_received(const struct sql_connection *n)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(PQsocket(n->pg), IPPROTO_TCP, TCP_INFO, &info, &len) !=
	    0)
		return 0;
	return info.tcpi_bytes_received;
}

static void
ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}

/* --- ends ----------------------------------------------------------------- */

static void
idle_remove(struct sql_connection *n)
{
	struct sql_connection **link = &n->pool->idle;

	while (*link != NULL && *link != n)
		link = &(*link)->idle_next;
	if (*link == n)
		*link = n->idle_next;
}

void
sql_connection_close(
    struct sql_client *c, struct sql_connection *n, bool cancel)
{
	if (n->state == SQL_IDLE)
		idle_remove(n);
	if (n->lookup != NULL)
		atomic_store(&n->lookup->dropped, true);
	if (n->pg != NULL) {
		if (cancel && n->state == SQL_RUNNING)
			canceller_ask(c->canceller, PQgetCancel(n->pg));
		if (n->fd >= 0)
			epoll_ctl(c->fd, EPOLL_CTL_DEL, n->fd, NULL);
		PQfinish(n->pg);
	}
	timer_cancel(&c->timers, &n->timer);
	if (n->work != NULL)
		n->work->connection = NULL;
	c->connections[n->index] = NULL;
	c->count--;
	n->pool->count--;
	free(n);
}

/* The statement's outcome is filled: both end. */
static void
give_up(struct sql_client *c, struct sql_connection *n)
{
	struct sql_work *w = n->work;

	sql_connection_close(c, n, true);
	if (w == NULL)
		return;
	w->failed = true;
	sql_work_end(c, w);
}

/* The first line of what libpq says. */
static void
lost(struct sql_client *c, struct sql_connection *n, const char *code)
{
	const char *why = n->pg == NULL ? "" : PQerrorMessage(n->pg);

	if (n->work != NULL)
		op_call_fail(n->work->call, true, code, "%s: %.*s.",
		    strcmp(code, "connection_failed") == 0
			? "There is no connection to the database"
			: "The connection to the database broke",
		    (int)strcspn(why, "\n"), why[0] == '\0' ? "it ended" : why);
	give_up(c, n);
}

/* --- a statement ---------------------------------------------------------- */

static bool
flush(struct sql_client *c, struct sql_connection *n)
{
	int left = PQflush(n->pg);

	return left >= 0 && watch(c, n, left > 0);
}

void
sql_connection_run(
    struct sql_client *c, struct sql_connection *n, struct sql_work *w)
{
	if (n->state == SQL_IDLE)
		idle_remove(n);
	timer_cancel(&c->timers, &n->timer);
	n->work = w;
	w->connection = n;
	n->state = SQL_RUNNING;
	n->bytes = bytes_received(n);
	if (PQsendQueryParams(n->pg, w->statement, w->value_count, NULL,
		w->values, NULL, NULL, 0) != 1 ||
	    PQsetSingleRowMode(n->pg) != 1 || !flush(c, n))
		lost(c, n, "connection_lost");
}

/* Classes of PostgreSQL's errors that may go away by themselves: connection,
 * rollback of transactions, lack of resources, intervention by operators; and
 * a lock that was not to be had (appendix A). */
static bool
is_retryable(const char *state)
{
	static const char *const classes[] = {"08", "40", "53", "57"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	return strcmp(state, "55P03") == 0;
}

static void
statement_failed(struct sql_work *w, const PGresult *res)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *place = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);

	w->failed = true;
	if (state == NULL || text == NULL)
		op_call_fail(w->call, true, "connection_lost",
		    "The connection to the database broke.");
	else
		op_call_fail(w->call, is_retryable(state), "sql_error",
		    "%.5s: %.1000s%s%.10s.", state, text,
		    place != NULL ? ", at character " : "",
		    place != NULL ? place : "");
}

static void
too_large(struct sql_work *w)
{
	op_call_fail(w->call, false, "result_too_large",
	    "The rows have more than %zu bytes.", w->max_bytes);
	w->failed = true;
}

/* False: the outcome is filled, the rest is not wanted. */
static bool
take_row(struct sql_work *w, const PGresult *res)
{
	struct sql_answer *a = &w->answer;

	if (a->count == w->max_rows) {
		op_call_fail(w->call, false, "too_many_rows",
		    "There are more than %u rows; max_rows allows up to %d.",
		    w->max_rows, SQL_ROWS_MAX);
		w->failed = true;
	} else if (a->names == NULL &&
		   !sql_answer_columns(a, &w->call->mem, res)) {
		op_call_fail(w->call, true, "out_of_memory", "Out of memory.");
		w->failed = true;
	} else if (sql_answer_row(a, res, w->max_bytes) != 0) {
		too_large(w);
	}
	return !w->failed;
}

/* False: the connection is of no use any more. */
static bool
take_result(struct sql_work *w, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_SINGLE_TUPLE:
		return take_row(w, res);
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		sql_answer_end(&w->answer, &w->call->mem, res);
		return true;
	case PGRES_EMPTY_QUERY:
		op_call_fail(
		    w->call, false, "sql_error", "The statement is empty.");
		w->failed = true;
		return true;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
	case PGRES_COPY_BOTH:
		op_call_fail(w->call, false, "sql_error",
		    "COPY from or to the client is not supported.");
		w->failed = true;
		return false;
	case PGRES_BAD_RESPONSE:
	case PGRES_NONFATAL_ERROR:
	case PGRES_FATAL_ERROR:
	case PGRES_PIPELINE_SYNC:
	case PGRES_PIPELINE_ABORTED:
	default:
		statement_failed(w, res);
		return true;
	}
}

/* What a statement may have left is put away before the next one: settings,
 * temporary tables, locks, prepared statements. An open transaction ends the
 * connection. */
static void
reset(struct sql_client *c, struct sql_connection *n)
{
	n->work = NULL;
	n->state = SQL_RESETTING;
	if (PQstatus(n->pg) != CONNECTION_OK ||
	    PQtransactionStatus(n->pg) != PQTRANS_IDLE ||
	    timer_arm(&c->timers, &n->timer, clock_mono_ns() + RESET_NS) != 0 ||
	    PQsendQuery(n->pg, "DISCARD ALL") != 1 || !flush(c, n))
		sql_connection_close(c, n, false);
}

static void
running_ready(struct sql_client *c, struct sql_connection *n)
{
	struct sql_work *w = n->work;

	if (PQconsumeInput(n->pg) != 1 || (n->writing && !flush(c, n))) {
		lost(c, n, "connection_lost");
		return;
	}
	if (bytes_received(n) - n->bytes > w->max_bytes + SLACK_BYTES) {
		too_large(w);
		give_up(c, n);
		return;
	}
	while (!PQisBusy(n->pg)) {
		PGresult *res = PQgetResult(n->pg);
		bool go_on;

		if (res == NULL) {
			reset(c, n);
			sql_work_end(c, w);
			return;
		}
		go_on = take_result(w, res);
		PQclear(res);
		if (!go_on) {
			give_up(c, n);
			return;
		}
	}
}

static void
resetting_ready(struct sql_client *c, struct sql_connection *n)
{
	if (PQconsumeInput(n->pg) != 1 || (n->writing && !flush(c, n))) {
		sql_connection_close(c, n, false);
		return;
	}
	while (!PQisBusy(n->pg)) {
		PGresult *res = PQgetResult(n->pg);
		bool done = PQresultStatus(res) == PGRES_COMMAND_OK;

		PQclear(res);
		if (res != NULL && done)
			continue;
		if (res != NULL || timer_arm(&c->timers, &n->timer,
				       clock_mono_ns() + IDLE_NS) != 0) {
			sql_connection_close(c, n, false);
			return;
		}
		n->state = SQL_IDLE;
		n->idle_next = n->pool->idle;
		n->pool->idle = n;
		return;
	}
}

/* --- the beginning -------------------------------------------------------- */

static void
connecting_ready(struct sql_client *c, struct sql_connection *n)
{
	switch (PQconnectPoll(n->pg)) {
	case PGRES_POLLING_READING:
		if (bytes_received(n) > SLACK_BYTES || !watch(c, n, false))
			lost(c, n, "connection_failed");
		break;
	case PGRES_POLLING_WRITING:
		if (!watch(c, n, true))
			lost(c, n, "connection_failed");
		break;
	case PGRES_POLLING_OK:
		if (PQsetnonblocking(n->pg, 1) != 0)
			lost(c, n, "connection_failed");
		else
			sql_connection_run(c, n, n->work);
		break;
	case PGRES_POLLING_FAILED:
	case PGRES_POLLING_ACTIVE:
		lost(c, n, "connection_failed");
		break;
	}
}

static void
connect_to(struct sql_client *c, struct sql_connection *n, const char *list)
{
	struct sql_work *w = n->work;
	bool public = false;
	const char *address = sql_target_address(&c->settings, n->pool->allowed,
	    &w->call->mem, list, w->target.port, &public);

	if (address == NULL) {
		op_call_fail(w->call, false, "address_refused",
		    "The database's address is private or OPEN's own; the "
		    "organization's settings refuse it.");
		give_up(c, n);
		return;
	}
	sql_target_finish(&w->target, &c->settings, address, public);
	n->state = SQL_CONNECTING;
	n->pg = PQconnectStartParams(w->target.keywords, w->target.values, 0);
	if (n->pg == NULL || PQstatus(n->pg) == CONNECTION_BAD) {
		lost(c, n, "connection_failed");
		return;
	}
	PQsetNoticeReceiver(n->pg, ignore_notice, NULL);
	if (!watch(c, n, true))
		lost(c, n, "connection_failed");
}

void
sql_connection_named(
    struct sql_client *c, struct sql_connection *n, struct lookup *l)
{
	n->lookup = NULL;
	if (l->addresses != NULL) {
		connect_to(c, n, l->addresses);
		return;
	}
	op_call_fail(n->work->call, true, "name_not_resolved",
	    "The address of the database's host is not known: %s.",
	    l->error != NULL ? l->error : "out of memory");
	give_up(c, n);
}

static bool
ask_name(struct sql_client *c, struct sql_connection *n, const char *host)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return false;
	memcpy(l->host, host, strlen(host) + 1); /* sql_target.c: it fits */
	l->owner = n->pool->organization;
	l->ctx = (void *)(uintptr_t)((uint64_t)n->index << 32 | n->generation);
	n->lookup = l;
	names_ask(c->names, l);
	return true;
}

static struct sql_connection *
connection_new(struct sql_client *c, struct sql_pool *p)
{
	struct sql_connection *n = calloc(1, sizeof(*n));
	uint32_t i = 0;

	if (n == NULL)
		return NULL;
	while (c->connections[i] != NULL)
		i++;
	n->index = i;
	n->generation = ++c->generation;
	n->timer.kind = SQL_TIMER_CONNECTION;
	n->fd = -1;
	n->pool = p;
	c->connections[i] = n;
	c->count++;
	p->count++;
	return n;
}

bool
sql_connection_open(
    struct sql_client *c, struct sql_pool *p, struct sql_work *w)
{
	struct sql_connection *n = connection_new(c, p);
	const char *host = w->target.host;

	if (n == NULL) {
		op_call_fail(w->call, true, "out_of_memory", "Out of memory.");
		w->failed = true;
		return false;
	}
	n->work = w;
	w->connection = n;
	n->state = SQL_NAMING;
	if (sql_target_is_address(host)) {
		connect_to(c, n,
		    strchr(host, ':') == NULL
			? host
			: mem_printf(&w->call->mem, "[%s]", host));
	} else if (!ask_name(c, n, host)) {
		op_call_fail(w->call, true, "out_of_memory", "Out of memory.");
		give_up(c, n);
	}
	return true;
}

void
sql_connection_ready(struct sql_client *c, struct sql_connection *n)
{
	switch (n->state) {
	case SQL_CONNECTING:
		connecting_ready(c, n);
		break;
	case SQL_RUNNING:
		running_ready(c, n);
		break;
	case SQL_RESETTING:
		resetting_ready(c, n);
		break;
	case SQL_NAMING:
	case SQL_IDLE:
		/* Nothing was asked: it ended, or is up to something. */
		sql_connection_close(c, n, false);
		break;
	}
}
