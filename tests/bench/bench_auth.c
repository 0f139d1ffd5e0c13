/* bench_auth - what it costs to know who asks: the look-up in shared memory by
 * itself, and requests that are answered 404 by the same code: of a DAG with no
 * possible id, for which a token is needed, and of a path for which none is. And
 * what row-level security adds to a list, which the owner of the tables does not
 * have: OPEN_BENCH_DATABASE (libpq URL of the owner).
 */
#include <time.h>

#include <libpq-fe.h>

#include "load.h"
#include "table.h"
#include "web/known.h"
#include "web_sql.h"

#define ROUNDS	9
#define ONE	4000
#define MANY	20000
#define LOOKUPS 1000000
#define TOKENS	1000
#define LISTS	40

/* --- the look-up ------------------------------------------------------------ */

static double
look_ups(void)
{
	struct known *k = known_create(INT64_C(1) << 60);
	static char tokens[TOKENS][CREDENTIAL_TEXT];
	struct known_credential c;
	uint8_t hash[CREDENTIAL_HASH];
	struct err e;
	double begun;
	unsigned i, found = 0;

	for (i = 0; i < TOKENS; i++) {
		if (k == NULL ||
		    credential_new(CREDENTIAL_TOKEN, tokens[i], &e) != 0)
			die("memory", "none left");
		memset(&c, 0, sizeof(c));
		credential_hash(tokens[i], CREDENTIAL_LEN, c.hash);
		known_put(k, known_epoch(k), &c, 1, 0);
	}
	begun = now_us();
	for (i = 0; i < LOOKUPS; i++) {
		const char *token = tokens[i % TOKENS];

		if (!credential_is_formed(token, CREDENTIAL_LEN, "st"))
			continue;
		credential_hash(token, CREDENTIAL_LEN, hash);
		found += known_find(k, hash, 2, &c);
	}
	if (found != LOOKUPS)
		die("look-up", "a token was not found");
	return (now_us() - begun) / LOOKUPS;
}

/* --- requests --------------------------------------------------------------- */

static bool
receive(struct load *l, struct load_client *c)
{
	struct http *h = c->state;

	(void)l;
	if (!http_read(h->fd, h->response, RESPONSE_MAX, &h->got))
		return false;
	if (strncmp(h->response + 9, "404", 3) != 0)
		die("unexpected answer", h->response);
	return true;
}

/* p50 in microseconds of one client, or the time per request of many. */
static double
ask(unsigned clients, unsigned requests, const char *token)
{
	struct samples latencies = {0};
	struct load l;
	char request[512];
	double seconds, p50;
	int len;

	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: bench\r\n%s%s%s\r\n",
	    token == NULL ? "/api/v1/none/none" : "/api/v1/dags/none",
	    token == NULL ? "" : "Authorization: Bearer ",
	    token == NULL ? "" : token, token == NULL ? "" : "\r\n");
	load_http_open(&l, clients, request, (size_t)len);
	l.receive = receive;
	(void)load_run(&l, requests / 10, NULL);
	seconds = load_run(&l, requests, clients == 1 ? &latencies : NULL);
	load_http_close(&l);
	if (clients > 1)
		return seconds * 1e6 / requests;
	p50 = samples_quantile(&latencies, 0.5);
	samples_free(&latencies);
	return p50;
}

/* Rounds alternate; medians. */
static void
compare(unsigned clients, unsigned requests, const char *what, const char *peer,
    const char *added)
{
	const char *token = setting("OPEN_BENCH_TOKEN");
	struct samples with = {0}, without = {0};
	struct row row = {.what = what, .peer = peer, .unit = "us"};
	int i;

	for (i = 0; i < ROUNDS; i++) {
		samples_add(&without, ask(clients, requests, NULL));
		samples_add(&with, ask(clients, requests, token));
	}
	row.ours = samples_quantile(&with, 0.5);
	row.theirs = samples_quantile(&without, 0.5);
	table_row(&row);
	table_row(&(struct row){.what = added,
	    .ours = row.ours > row.theirs ? row.ours - row.theirs : 0,
	    .unit = "us",
	    .limit = 10});
	samples_free(&with);
	samples_free(&without);
}

/* --- policies --------------------------------------------------------------- */

static PGresult *
sql(PGconn *pg, const char *text, ExecStatusType expected)
{
	PGresult *r = PQexec(pg, text);

	if (PQresultStatus(r) != expected)
		die(text, PQresultErrorMessage(r));
	return r;
}

static void
run(PGconn *pg, const char *text)
{
	PQclear(sql(pg, text, PGRES_COMMAND_OK));
}

/* An organization with 1,000 DAGs, never committed; its id. */
static void
fill(PGconn *pg, char organization[37])
{
	PGresult *r;
	char text[400];

	run(pg, "set client_min_messages = error");
	run(pg, "begin");
	r = sql(pg,
	    "insert into open.organizations (name, slug)"
	    " values ('policies', 'policies') returning id",
	    PGRES_TUPLES_OK);
	snprintf(organization, 37, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	snprintf(text, sizeof(text),
	    "insert into open.dags (organization_id, name)"
	    " select '%s', 'dag ' || i from generate_series(1, 1000) i",
	    organization);
	run(pg, text);
	snprintf(text, sizeof(text), "set local open.actor = '%s  user'",
	    organization);
	run(pg, text);
	run(pg, "set local enable_seqscan = off");
}

/* Microseconds of one list, as the role that acts now. */
static double
list(PGconn *pg, const char *organization)
{
	const char *values[] = {
	    organization, "1000", "f", "f", "f", NULL, NULL, NULL};
	double begun = now_us();
	PGresult *r;
	int i;

	for (i = 0; i < LISTS; i++) {
		r = PQexecPrepared(pg, "list", 8, values, NULL, NULL, 0);
		if (PQresultStatus(r) != PGRES_TUPLES_OK ||
		    PQntuples(r) != 1000)
			die("list", PQresultErrorMessage(r));
		PQclear(r);
	}
	return (now_us() - begun) / LISTS;
}

static void
policies(void)
{
	PGconn *pg = PQconnectdb(setting("OPEN_BENCH_DATABASE"));
	struct samples with = {0}, without = {0};
	char organization[37];
	int i;

	if (PQstatus(pg) != CONNECTION_OK)
		die("database", PQerrorMessage(pg));
	fill(pg, organization);
	PQclear(
	    PQprepare(pg, "list", SQL_DAGS_LIST[0].sql[0][0].text, 8, NULL));
	for (i = 0; i < ROUNDS; i++) {
		run(pg, "reset role");
		samples_add(&without, list(pg, organization));
		run(pg, "set local role open_server");
		samples_add(&with, list(pg, organization));
	}
	table_row(&(struct row){.what = "a list of 1,000 DAGs with policies",
	    .peer = "the same without row-level security",
	    .ours = samples_quantile(&with, 0.5),
	    .theirs = samples_quantile(&without, 0.5),
	    .unit = "us",
	    .limit = 1.2});
	samples_free(&with);
	samples_free(&without);
	run(pg, "rollback");
	PQfinish(pg);
}

int
main(void)
{
	table_head();
	setting("OPEN_BENCH_ADDRESS");
	table_row(
	    &(struct row){.what = "a token looked up: form, SHA-256, table",
		.ours = look_ups() * 1000,
		.unit = "ns",
		.limit = 10000});
	compare(1, ONE, "request with a token, 1 client, p50",
	    "a request that needs none", "  authentication adds");
	compare(32, MANY, "request with a token, 32 clients, time of one",
	    "a request that needs none", "  authentication adds");
	policies();
	return 0;
}
