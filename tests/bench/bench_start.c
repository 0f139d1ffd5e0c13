/* bench_start - start of an execution over HTTP, from request to durable answer,
 * beside a committed single-row insert of the same shape into the same database
 * by the same number of clients; with 32 clients also beside pgbench, which
 * commits the same row.
 *
 * The rounds alternate, so that all see the same machine. What a start leads to
 * (the run, its history) happens in the same time and counts against us.
 *
 * Environment: OPEN_BENCH_ADDRESS 127.0.0.1:PORT, OPEN_BENCH_TOKEN,
 * OPEN_BENCH_DAG (id of an active DAG), OPEN_BENCH_DATABASE (libpq URL whose
 * role may create the table open_bench.starts), OPEN_BENCH_FOLDER.
 */
#include "load.h"
#include "server.h"
#include "table.h"

#define ROUNDS	 5
#define REQUESTS 3000 /* per round */

#define INSERT                                                                 \
	"insert into open_bench.starts (organization_id, dag_id,"              \
	" dag_version_id, context, triggered_by) values ("                     \
	"'0190a0c0-0000-7000-8000-000000000001',"                              \
	" '0190a0c0-0000-7000-8000-000000000002',"                             \
	" '0190a0c0-0000-7000-8000-000000000003', '{}',"                       \
	" '0190a0c0-0000-7000-8000-000000000004') returning id"

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

/* --- the bare insert --- */

static void
insert_send(struct load *l, struct load_client *c)
{
	(void)l;
	if (!PQsendQueryPrepared(c->state, "start", 0, NULL, NULL, NULL, 0))
		die("insert", PQerrorMessage(c->state));
}

static bool
insert_receive(struct load *l, struct load_client *c)
{
	PGresult *r;

	(void)l;
	if (!PQconsumeInput(c->state))
		die("insert", PQerrorMessage(c->state));
	if (PQisBusy(c->state))
		return false;
	while ((r = PQgetResult(c->state)) != NULL) {
		if (PQresultStatus(r) != PGRES_TUPLES_OK)
			die("insert", PQresultErrorMessage(r));
		PQclear(r);
	}
	return true;
}

static void
insert_open(struct load *l, unsigned clients)
{
	PGresult *r;

	*l = (struct load){
	    .clients = clients, .send = insert_send, .receive = insert_receive};
	for (unsigned i = 0; i < clients; i++) {
		PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));

		r = PQprepare(db, "start", INSERT, 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("database", PQerrorMessage(db));
		PQclear(r);
		l->client[i] =
		    (struct load_client){.fd = PQsocket(db), .state = db};
	}
}

static void
insert_close(struct load *l)
{
	for (unsigned i = 0; i < l->clients; i++)
		PQfinish(l->client[i].state);
}

/* --- pgbench --- */

/* Commits a second. */
static double
pgbench_run(unsigned clients)
{
	static const char tps[] = "tps = ";
	char script[512], command[2048], line[512];
	double found = 0;
	FILE *f;

	snprintf(script, sizeof(script), "%s/start.pgbench",
	    setting("OPEN_BENCH_FOLDER"));
	if ((f = fopen(script, "w")) == NULL || fputs(INSERT ";\n", f) < 0 ||
	    fclose(f) != 0)
		die(script, strerror(errno));
	snprintf(command, sizeof(command),
	    "pgbench -n -M prepared -c %u -j 2 -T 2 -f '%s' '%s' 2>&1", clients,
	    script, setting("OPEN_BENCH_DATABASE"));
	if ((f = popen(command, "r")) == NULL)
		die("pgbench", strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, tps, sizeof(tps) - 1) == 0)
			found = strtod(line + sizeof(tps) - 1, NULL);
	if (pclose(f) != 0 || found <= 0)
		die("pgbench", "failed");
	return found;
}

/* --- the rounds --- */

struct compared {
	struct samples ours, theirs; /* latencies */
	struct samples ours_rate, theirs_rate, pgbench_rate;
};

static void
compare(struct compared *c, const char *request, size_t len, unsigned clients)
{
	struct load ours, theirs;

	load_http_open(&ours, clients, request, len);
	insert_open(&theirs, clients);
	load_run(&ours, REQUESTS / 3, NULL); /* warm */
	for (int i = 0; i < ROUNDS; i++) {
		double s = load_run(&ours, REQUESTS, &c->ours);

		samples_add(&c->ours_rate, REQUESTS / s);
		server_wait_idle();
		s = load_run(&theirs, REQUESTS, &c->theirs);
		samples_add(&c->theirs_rate, REQUESTS / s);
		if (clients > 1)
			samples_add(&c->pgbench_rate, pgbench_run(clients));
	}
	insert_close(&theirs);
	load_http_close(&ours);
	printf("  %u clients: p99 %.0f us, the bare insert's %.0f us and "
	       "%.0f/s\n",
	    clients, samples_quantile(&c->ours, 0.99),
	    samples_quantile(&c->theirs, 0.99),
	    samples_quantile(&c->theirs_rate, 0.5));
}

static void
latency_row(struct compared *c, const char *what)
{
	struct row row = {.what = what,
	    .peer = "committed single-row insert, as many clients",
	    .unit = "us",
	    .ours = samples_quantile(&c->ours, 0.5),
	    .theirs = samples_quantile(&c->theirs, 0.5),
	    .limit = 1.5};

	table_row(&row);
}

int
main(void)
{
	static struct compared one, many;
	char request[2048];
	struct row row = {.what = "starts, 32 clients",
	    .peer = "pgbench: commits of the same row, 32 clients",
	    .unit = "/s",
	    .limit = 1,
	    .at_least = 1};
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	size_t len = http_start_request(request, sizeof(request),
	    setting("OPEN_BENCH_TOKEN"), setting("OPEN_BENCH_DAG"));

	database_run(db, setup_sql);
	PQfinish(db);
	table_head();
	compare(&one, request, len, 1);
	latency_row(&one, "start, request to durable answer, p50, 1 client");
	compare(&many, request, len, 32);
	latency_row(&many, "start, request to durable answer, p50, 32 clients");
	row.ours = samples_quantile(&many.ours_rate, 0.5);
	row.theirs = samples_quantile(&many.pgbench_rate, 0.5);
	table_row(&row);
	return 0;
}
