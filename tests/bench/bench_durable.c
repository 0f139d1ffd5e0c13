/* bench_durable - an execution of 1,000 no-op nodes, from the start's request to
 * the commit of its last record, beside one transaction that copies 1,000
 * records of the specification's NodeExecution shape into the same database.
 *
 * DAGs whose name ends in "-sync" make each node durable before its successors
 * start; their peer is a libpq client that inserts and commits the same records
 * of each frontier by itself, one after the other.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS.
 */
#include "server.h"
#include "table.h"

#define ROUNDS 100
#define NODES  1000

#define SYNC_ROUNDS 10

static const char setup_sql[] =
    "create schema if not exists open_bench;"
    "drop table if exists open_bench.node_executions;"
    "create table open_bench.node_executions (id uuid primary key,"
    " execution_id uuid not null, node_name text not null,"
    " status text not null, started_at timestamptz, completed_at timestamptz,"
    " result jsonb, error text, retry_count integer not null)";

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

/* --- the rounds --- */

static void
row_print(const char *what, const char *peer, struct samples *ours,
    struct samples *theirs, double limit)
{
	struct row row = {.what = what,
	    .peer = peer,
	    .unit = "ms",
	    .ours = samples_quantile(ours, 0.5) / 1000,
	    .theirs = samples_quantile(theirs, 0.5) / 1000,
	    .limit = limit};

	table_row(&row);
}

static void
batch_compare(struct http *h, PGconn *db, const char *name, const char *what)
{
	struct samples ours = {0}, theirs = {0};
	char dag[37], execution[37];

	dag_id(name, dag);
	for (int i = 0; i < ROUNDS; i++) {
		samples_add(&ours, execution_run(h, dag, db, execution));
		samples_add(&theirs, copy_measure(db));
	}
	execution_check(db, execution);
	row_print(what, "one transaction that copies 1,000 records", &ours,
	    &theirs, 1.5);
	samples_free(&ours);
	samples_free(&theirs);
}

/* chain: times of the commits of all nodes one by one are added there, where
 * they are the peer; and read, where they are not. */
static void
sync_compare(struct http *h, PGconn *db, const char *name, const char *what,
    struct samples *chain)
{
	const struct frontiers *f = frontiers_of(name);
	struct samples ours = {0}, theirs = {0};
	char dag[37], execution[37];

	dag_id(name, dag);
	for (int i = 0; i < SYNC_ROUNDS; i++) {
		samples_add(&ours, execution_run(h, dag, db, execution));
		samples_add(&theirs, frontiers_measure(db, f));
		if (f->count == NODES)
			samples_add(chain, theirs.values[theirs.count - 1]);
	}
	execution_check(db, execution);
	row_print(what, "one bare commit per frontier", &ours, &theirs, 1.5);
	if (f->count == 3) {
		struct row row = {.what = what,
		    .peer = "one bare commit per node",
		    .unit = "ms",
		    .ours = samples_quantile(&ours, 0.5) / 1000,
		    .theirs = samples_quantile(chain, 0.5) / 1000,
		    .limit = 10,
		    .at_least = 1,
		    .inverse = 1};

		table_row(&row);
	}
	samples_free(&ours);
	samples_free(&theirs);
}

int
main(void)
{
	static struct http h;
	struct samples chain = {0};
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));

	database_run(db, setup_sql);
	ended_listen(db);
	PQclear(PQprepare(db, "frontier", frontier_sql, 0, NULL));
	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	table_head();
	batch_compare(
	    &h, db, "chain", "1,000 nodes to their durable end: chain");
	batch_compare(
	    &h, db, "fan", "1,000 nodes to their durable end: 1-998-1");
	batch_compare(
	    &h, db, "layers", "1,000 nodes to their durable end: layers");
	sync_compare(&h, db, "chain-sync", "sync, 1,000 nodes: chain", &chain);
	sync_compare(&h, db, "fan-sync", "sync, 1,000 nodes: 1-998-1", &chain);
	sync_compare(&h, db, "layers-sync",
	    "sync, 1,000 nodes: 10 layers of 100", &chain);
	samples_free(&chain);
	ended_ignore(db);
	PQfinish(db);
	close(h.fd);
	return 0;
}
