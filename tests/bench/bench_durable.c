/* bench_durable - an execution of 1,000 no-op nodes, from the start's request to
 * the commit of its last record, beside one transaction that copies 1,000
 * records of the specification's NodeExecution shape into the same database.
 *
 * DAGs whose name ends in "-sync" make each node durable before its successors
 * start; their peer is a libpq client that inserts and commits the same records
 * of each frontier by itself, one after the other.
 *
 * The end is heard of through a trigger that notifies at the commit of the
 * execution's final state; its cost is inside our figure.
 *
 * Environment: as bench_start, with OPEN_BENCH_DAGS instead of OPEN_BENCH_DAG:
 * "name=ID name=ID ..." of active DAGs of 1,000 nodes.
 */
#include <poll.h>

#include "http.h"
#include "stats.h"

#define ROUNDS 200
#define NODES  1000

#define SYNC_ROUNDS 20

static const char setup_sql[] =
    "create schema if not exists open_bench;"
    "drop table if exists open_bench.node_executions;"
    "create table open_bench.node_executions (id uuid primary key,"
    " execution_id uuid not null, node_name text not null,"
    " status text not null, started_at timestamptz, completed_at timestamptz,"
    " result jsonb, error text, retry_count integer not null);"
    "create or replace function open_bench.ended() returns trigger"
    " language plpgsql as $$ begin"
    " perform pg_notify('open_bench_ended', new.id::text); return null; end $$;"
    "create or replace trigger open_bench_ended after update on open.executions"
    " for each row when (new.completed_at is not null)"
    " execute function open_bench.ended();"
    "listen open_bench_ended";

static void
ended_wait(PGconn *db, const char *execution)
{
	struct pollfd p = {.fd = PQsocket(db), .events = POLLIN};
	PGnotify *n;
	bool found = false;

	while (!found) {
		if (!PQconsumeInput(db))
			die("database", PQerrorMessage(db));
		while ((n = PQnotifies(db)) != NULL) {
			found = found || strcmp(n->extra, execution) == 0;
			PQfreemem(n);
		}
		if (!found && poll(&p, 1, 30000) <= 0)
			die(execution, "did not end within 30 s");
	}
}

/* Microseconds from the request to the notification of the end's commit. */
static double
execution_measure(struct http *h, const char *request, size_t len, PGconn *db)
{
	double begun = now_us();
	char *location;

	http_send(h, request, len);
	while (!http_receive(h))
		;
	location = strcasestr(h->response, "location:");
	if (location == NULL ||
	    (location = strstr(location, "executions/")) == NULL)
		die("answer without location", h->response);
	location += strlen("executions/");
	location[36] = '\0';
	ended_wait(db, location);
	return now_us() - begun;
}

static double
copy_measure(PGconn *db)
{
	static char line[512];
	double begun = now_us();
	PGresult *r;
	int n;

	r = PQexec(db, "copy open_bench.node_executions from stdin");
	if (PQresultStatus(r) != PGRES_COPY_IN)
		die("copy", PQerrorMessage(db));
	PQclear(r);
	for (int i = 0; i < NODES; i++) {
		n = snprintf(line, sizeof(line),
		    "%08x-0000-7000-8000-%012llx\t"
		    "0190a0c0-0000-7000-8000-000000000001\tnode-%04d\t"
		    "success\t2026-01-01 00:00:00.%06dZ\t"
		    "2026-01-01 00:00:00.%06dZ\t\\N\t\\N\t0\n",
		    (unsigned)i, (unsigned long long)(begun * 10), i, i, i + 1);
		if (PQputCopyData(db, line, n) != 1)
			die("copy", PQerrorMessage(db));
	}
	if (PQputCopyEnd(db, NULL) != 1)
		die("copy", PQerrorMessage(db));
	while ((r = PQgetResult(db)) != NULL) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("copy", PQerrorMessage(db));
		PQclear(r);
	}
	return now_us() - begun;
}

/* --- one bare commit per frontier --- */

struct frontiers { /* how many nodes become ready together */
	const char *name;
	int count;
	int sizes[NODES];
};

static struct frontiers frontier_shapes[] = {
    {"chain-sync", NODES, {0}}, /* 1 each, see frontiers_of */
    {"fan-sync", 3, {1, NODES - 2, 1}},
    {"layers-sync", 10, {100, 100, 100, 100, 100, 100, 100, 100, 100, 100}},
};

static const struct frontiers *
frontiers_of(const char *name)
{
	for (size_t i = 0; i < 3; i++) {
		struct frontiers *f = &frontier_shapes[i];

		for (int k = 0; k < f->count; k++)
			f->sizes[k] = f->sizes[k] > 0 ? f->sizes[k] : 1;
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

static const char frontier_sql[] =
    "insert into open_bench.node_executions select i::uuid,"
    " '0190a0c0-0000-7000-8000-000000000001', n, 'success', s, c, null, null,"
    " 0 from unnest($1::text[], $2::text[], $3::timestamptz[],"
    " $4::timestamptz[]) as r(i, n, s, c)";

static void
frontier_insert(PGconn *db, int first, int count, double begun)
{
	static char texts[4][NODES * 64];
	const char *values[4] = {texts[0], texts[1], texts[2], texts[3]};
	size_t at[4] = {0};
	PGresult *r;

	for (int i = first; i < first + count; i++) {
		const char *before = i == first ? "{" : ",";

		at[0] += (size_t)sprintf(texts[0] + at[0],
		    "%s%08x-0000-7000-8000-%012llx", before, (unsigned)i,
		    (unsigned long long)(begun * 10));
		at[1] +=
		    (size_t)sprintf(texts[1] + at[1], "%snode-%04d", before, i);
		at[2] += (size_t)sprintf(
		    texts[2] + at[2], "%s2026-01-01 00:00:00.%06dZ", before, i);
		at[3] += (size_t)sprintf(texts[3] + at[3],
		    "%s2026-01-01 00:00:00.%06dZ", before, i + 1);
	}
	for (int k = 0; k < 4; k++)
		strcpy(texts[k] + at[k], "}");
	r = PQexecPrepared(db, "frontier", 4, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		die("frontier", PQerrorMessage(db));
	PQclear(r);
}

static double
frontiers_measure(PGconn *db, const struct frontiers *f)
{
	double begun = now_us();
	int first = 0;

	for (int i = 0; i < f->count; i++) {
		frontier_insert(db, first, f->sizes[i], begun);
		first += f->sizes[i];
	}
	return now_us() - begun;
}

/* --- the table --- */

static void
row_print(const char *name, struct samples *s, struct samples *peer)
{
	double median = samples_quantile(s, 0.5);

	printf(
	    "  %-40s %10.0f %10.0f", name, median, samples_quantile(s, 0.99));
	if (peer != NULL)
		printf(" %9.2fx", median / samples_quantile(peer, 0.5));
	printf("\n");
}

static void
compare(struct http *h, PGconn *db, const char *name, const char *dag)
{
	const struct frontiers *f = frontiers_of(name);
	struct samples ours = {0}, peer = {0};
	char request[2048], label[64];
	size_t len;

	len = http_start_request(
	    request, sizeof(request), setting("OPEN_BENCH_TOKEN"), dag);
	for (int i = 0; i < (f != NULL ? SYNC_ROUNDS : ROUNDS); i++) {
		samples_add(&ours, execution_measure(h, request, len, db));
		samples_add(&peer,
		    f != NULL ? frontiers_measure(db, f) : copy_measure(db));
	}
	snprintf(label, sizeof(label), "%s: start to durable end", name);
	row_print(f != NULL ? "one bare commit per frontier"
			    : "one transaction copying 1,000 records",
	    &peer, NULL);
	row_print(label, &ours, &peer);
	samples_free(&ours);
	samples_free(&peer);
}

int
main(void)
{
	static struct http h;
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	char *dags = strdup(setting("OPEN_BENCH_DAGS")), *state, *word, *id;

	database_run(db, setup_sql);
	PQclear(PQprepare(db, "frontier", frontier_sql, 0, NULL));
	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	printf("durable: 1,000 no-op nodes, %d rounds each (sync: %d); "
	       "bar: <= 1.5x\n",
	    ROUNDS, SYNC_ROUNDS);
	printf("  %-40s %10s %10s %10s\n", "", "median us", "p99 us", "ratio");
	for (word = strtok_r(dags, " ", &state); word != NULL;
	     word = strtok_r(NULL, " ", &state)) {
		if ((id = strchr(word, '=')) == NULL)
			die("OPEN_BENCH_DAGS", "not name=ID");
		*id++ = '\0';
		compare(&h, db, word, id);
	}
	free(dags);
	PQfinish(db);
	close(h.fd);
	return 0;
}
