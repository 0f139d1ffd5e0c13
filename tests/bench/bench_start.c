/* bench_start - start of an execution over HTTP, from request to durable answer,
 * beside a committed single-row insert of the same shape into the same database
 * by the same number of clients.
 *
 * Both sides are one epoll loop over N connections with one outstanding request
 * each; the rounds alternate, so that both see the same machine.
 *
 * Environment: OPEN_BENCH_ADDRESS 127.0.0.1:PORT, OPEN_BENCH_TOKEN,
 * OPEN_BENCH_DAG (id of an active DAG), OPEN_BENCH_DATABASE (libpq URL whose
 * role may create the table open_bench.starts).
 */
#include <sys/epoll.h>

#include "http.h"
#include "stats.h"

#define CLIENTS_MAX 64
#define ROUNDS	    5
#define REQUESTS    2000 /* per round */

struct client {
	struct http http;
	PGconn *db;
	double sent_us;
};

struct load {
	unsigned clients;
	struct client client[CLIENTS_MAX];
	char request[2048];
	size_t request_len;
	const char *address, *database;
};

static const char insert_sql[] =
    "insert into open_bench.starts (organization_id, dag_id, dag_version_id,"
    " context, triggered_by) values ('0190a0c0-0000-7000-8000-000000000001',"
    " '0190a0c0-0000-7000-8000-000000000002',"
    " '0190a0c0-0000-7000-8000-000000000003', '{}',"
    " '0190a0c0-0000-7000-8000-000000000004') returning id";

static const char setup_sql[] =
    "create schema if not exists open_bench;"
    "drop table if exists open_bench.starts;"
    "create table open_bench.starts (id uuid primary key default "
    "open.uuid_v7(),"
    " organization_id uuid not null, dag_id uuid not null,"
    " dag_version_id uuid not null, status text not null default 'pending',"
    " inserted_at timestamptz not null default now(), started_at timestamptz,"
    " completed_at timestamptz, context jsonb not null, result jsonb,"
    " error_message text, triggered_by uuid)";

static void
insert_send(struct client *c)
{
	if (!PQsendQueryPrepared(c->db, "start", 0, NULL, NULL, NULL, 0))
		die("insert", PQerrorMessage(c->db));
}

static bool
insert_receive(struct client *c)
{
	PGresult *r;

	if (!PQconsumeInput(c->db))
		die("insert", PQerrorMessage(c->db));
	if (PQisBusy(c->db))
		return false;
	while ((r = PQgetResult(c->db)) != NULL) {
		if (PQresultStatus(r) != PGRES_TUPLES_OK)
			die("insert", PQresultErrorMessage(r));
		PQclear(r);
	}
	return true;
}

static void
client_send(struct load *l, struct client *c, bool http)
{
	c->sent_us = now_us();
	if (http)
		http_send(&c->http, l->request, l->request_len);
	else
		insert_send(c);
}

/* One round: requests in all, at most one outstanding per client. Adds their
 * latencies in microseconds; returns requests per second. */
static double
round_run(struct load *l, bool http, struct samples *latencies)
{
	struct epoll_event events[CLIENTS_MAX];
	unsigned sent = 0, done = 0, i;
	double begun = now_us();
	int ep = epoll_create1(0), n;

	for (i = 0; i < l->clients; i++) {
		struct client *c = &l->client[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

		epoll_ctl(ep, EPOLL_CTL_ADD,
		    http ? c->http.fd : PQsocket(c->db), &ev);
		client_send(l, c, http);
		sent++;
	}
	while (done < sent) {
		n = epoll_wait(ep, events, CLIENTS_MAX, -1);
		for (int k = 0; k < n; k++) {
			struct client *c = events[k].data.ptr;

			if (!(http ? http_receive(&c->http)
				   : insert_receive(c)))
				continue;
			samples_add(latencies, now_us() - c->sent_us);
			done++;
			if (sent < REQUESTS) {
				client_send(l, c, http);
				sent++;
			}
		}
	}
	close(ep);
	return done / ((now_us() - begun) / 1e6);
}

static void
clients_open(struct load *l)
{
	PGresult *r;

	for (unsigned i = 0; i < l->clients; i++) {
		struct client *c = &l->client[i];

		c->http.fd = http_connect(l->address);
		c->db = database_connect(l->database);
		r = PQprepare(c->db, "start", insert_sql, 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("database", PQerrorMessage(c->db));
		PQclear(r);
	}
}

static void
clients_close(struct load *l)
{
	for (unsigned i = 0; i < l->clients; i++) {
		close(l->client[i].http.fd);
		PQfinish(l->client[i].db);
	}
}

static void
row_print(const char *name, unsigned clients, struct samples *s, double rate)
{
	printf("  %-38s %7u %10.0f %10.0f %12.0f\n", name, clients,
	    samples_quantile(s, 0.5), samples_quantile(s, 0.99), rate);
}

static void
compare(struct load *l)
{
	struct samples http = {0}, insert = {0};
	double http_rate = 0, insert_rate = 0, rate;

	clients_open(l);
	for (int i = 0; i < ROUNDS; i++) {
		rate = round_run(l, true, &http);
		http_rate = rate > http_rate ? rate : http_rate;
		rate = round_run(l, false, &insert);
		insert_rate = rate > insert_rate ? rate : insert_rate;
	}
	clients_close(l);
	row_print(
	    "committed single-row insert", l->clients, &insert, insert_rate);
	row_print(
	    "start of an execution over HTTP", l->clients, &http, http_rate);
	printf("  %-38s %7s %9.2fx %9.2fx %11.2fx\n", "ratio", "",
	    samples_quantile(&http, 0.5) / samples_quantile(&insert, 0.5),
	    samples_quantile(&http, 0.99) / samples_quantile(&insert, 0.99),
	    http_rate / insert_rate);
	samples_free(&http);
	samples_free(&insert);
}

int
main(void)
{
	static struct load l;
	PGconn *db;

	l.address = setting("OPEN_BENCH_ADDRESS");
	l.database = setting("OPEN_BENCH_DATABASE");
	l.request_len = http_start_request(l.request, sizeof(l.request),
	    setting("OPEN_BENCH_TOKEN"), setting("OPEN_BENCH_DAG"));
	db = database_connect(l.database);
	database_run(db, setup_sql);
	PQfinish(db);
	printf("start: request to durable answer, %d rounds of %d; bar: p50 <= "
	       "1.5x\n",
	    ROUNDS, REQUESTS);
	printf("  %-38s %7s %10s %10s %12s\n", "", "clients", "p50 us",
	    "p99 us", "best per s");
	l.clients = 1;
	compare(&l);
	l.clients = 32;
	compare(&l);
	return 0;
}
