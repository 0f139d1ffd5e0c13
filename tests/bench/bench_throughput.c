/* bench_throughput - 10-node executions (durability batch) from 32 clients over
 * HTTP, until all of them and their history are committed, beside a bare program
 * that only writes: the same rows into tables of the same columns and indexes of
 * the same database, in batches as large as OPEN's were, on as many connections.
 *
 * The bare program inserts executions as pending and commits; another connection
 * takes what was inserted, and in one statement writes its history and updates
 * it: what an executor's database has to be told at least, and nothing else.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAG (10 no-op nodes).
 */
#include <unistd.h>

#include "base/uuid.h"
#include "load.h"
#include "server.h"
#include "table.h"
#include "web/binary.h"

#define CLIENTS	   32
#define ROUNDS	   5
#define EXECUTIONS 20000 /* a round */
#define NODES	   10
#define PAIRS	   2 /* of bare connections, as OPEN has workers at least */
#define BATCH_MAX  512

static const char setup_sql[] =
    "create schema if not exists open_bench;"
    "drop table if exists open_bench.executions, open_bench.node_history;"
    "drop type if exists open_bench.entry;"
    "create type open_bench.entry as (execution_id uuid, first integer,"
    " organization_id uuid, base_at timestamptz, nodes integer[],"
    " states \"char\"[], started bigint[], completed bigint[]);"
    "create table open_bench.executions (like open.executions"
    " including defaults) partition by list (finished);"
    "create table open_bench.executions_unfinished"
    " partition of open_bench.executions (primary key (id))"
    " for values in (false) with (fillfactor = 70);"
    "create table open_bench.executions_finished (like open.executions_finished"
    " including defaults including indexes);"
    "alter table open_bench.executions attach partition"
    " open_bench.executions_finished for values in (true);"
    "create table open_bench.node_history (like open.node_history"
    " including defaults including constraints including indexes"
    " including storage including compression)";

static const char insert_sql[] =
    "insert into open_bench.executions_unfinished (id, organization_id, dag_id,"
    " dag_version_id, server_id, context, metadata, total_nodes, triggered_by)"
    " select id, $2, $3, $4, $5, '{}', '{}', 10, $6 from unnest($1::uuid[])"
    " as a(id)";

static const char journal_sql[] =
    "with history as (insert into open_bench.node_history (execution_id, first,"
    " organization_id, base_at, nodes, states, started, completed)"
    " select execution_id, first, organization_id, base_at, nodes, states,"
    " started, completed from unnest($1::open_bench.entry[]))"
    " update open_bench.executions e set finished = true,"
    " status = 'success',"
    " started_at = s.started, completed_at = s.completed, result = '{}',"
    " succeeded_nodes = 10 from unnest($2::uuid[], $3::timestamptz[],"
    " $4::timestamptz[]) as s(id, started, completed) where e.id = s.id"
    " and not e.finished";

/* --- the bare program --- */

struct bare {
	struct uuid *inserted;			     /* ring of a whole round */
	unsigned wanted, taken, arrived, told, done; /* in this order */
	unsigned starts, journal;		     /* executions in a batch */
	unsigned entry_oid;
};

struct writer {
	PGconn *db;
	struct bare *bare;
	bool journal, busy;
	unsigned first, count; /* of bare.inserted */
	struct buf ids, entries, started, completed;
};

static void
send_prepared(struct writer *w, int n, const struct buf *const *values)
{
	const char *data[8];
	int lengths[8], formats[8];

	for (int i = 0; i < n; i++) {
		data[i] = values[i]->data;
		lengths[i] = (int)values[i]->len;
		formats[i] = 1;
	}
	if (!PQsendQueryPrepared(
		w->db, "write", n, data, lengths, formats, 0) ||
	    PQflush(w->db) < 0)
		die("bare", PQerrorMessage(w->db));
	w->busy = true;
}

static void
ids_put(struct writer *w)
{
	buf_reset(&w->ids);
	binary_array(&w->ids, OID_UUID, w->count);
	for (unsigned i = 0; i < w->count; i++)
		binary_uuid(&w->ids, &w->bare->inserted[w->first + i]);
}

static void
starts_send(struct writer *w)
{
	static struct buf one;
	const struct buf *values[6] = {&w->ids, &one, &one, &one, &one, &one};
	struct uuid id = uuid_v7();

	buf_reset(&one);
	buf_put(&one, id.bytes, sizeof(id.bytes));
	for (unsigned i = 0; i < w->count; i++)
		w->bare->inserted[w->first + i] = uuid_execution();
	ids_put(w);
	send_prepared(w, 6, values);
}

static void
numbers_put(struct buf *b, uint32_t array, uint32_t element)
{
	size_t place;

	binary_field(b, array);
	place = binary_begin(b);
	binary_array(b, element, NODES);
	for (int i = 0; i < NODES; i++)
		if (element == OID_INT4)
			binary_int4(b, i);
		else if (element == OID_CHAR)
			binary_char(b, 's');
		else
			binary_int8(b, 12 * i);
	binary_end(b, place);
}

/* Fields of open_bench.entry. */
static void
entry_put(struct buf *b, const struct uuid *id, int64_t base_us)
{
	size_t whole = binary_begin(b);

	binary_composite(b, 8);
	binary_field(b, OID_UUID);
	binary_uuid(b, id);
	binary_field(b, OID_INT4);
	binary_int4(b, 0);
	binary_field(b, OID_UUID);
	binary_uuid(b, id);
	binary_field(b, OID_TIMESTAMPTZ);
	binary_time(b, base_us);
	numbers_put(b, OID_INT4_ARRAY, OID_INT4);
	numbers_put(b, OID_CHAR_ARRAY, OID_CHAR);
	numbers_put(b, OID_INT8_ARRAY, OID_INT8);
	numbers_put(b, OID_INT8_ARRAY, OID_INT8);
	binary_end(b, whole);
}

static void
journal_send(struct writer *w)
{
	const struct buf *values[4] = {
	    &w->entries, &w->ids, &w->started, &w->completed};
	int64_t now = (int64_t)time(NULL) * 1000000;

	ids_put(w);
	buf_reset(&w->entries);
	buf_reset(&w->started);
	buf_reset(&w->completed);
	binary_array(&w->entries, w->bare->entry_oid, w->count);
	binary_array(&w->started, OID_TIMESTAMPTZ, w->count);
	binary_array(&w->completed, OID_TIMESTAMPTZ, w->count);
	for (unsigned i = 0; i < w->count; i++) {
		entry_put(&w->entries, &w->bare->inserted[w->first + i], now);
		binary_time(&w->started, now);
		binary_time(&w->completed, now + 120);
	}
	send_prepared(w, 4, values);
}

/* Gives an idle connection what there is; the last batch may be smaller. */
static void
writer_feed(struct writer *w)
{
	struct bare *b = w->bare;
	unsigned *from = w->journal ? &b->told : &b->taken;
	unsigned end = w->journal ? b->arrived : b->wanted;
	unsigned batch = w->journal ? b->journal : b->starts;

	if (w->busy || *from == end)
		return;
	w->count = end - *from < batch ? end - *from : batch;
	if (w->journal && w->count < batch && b->arrived < b->wanted)
		return; /* it fills */
	w->first = *from;
	*from += w->count;
	if (w->journal)
		journal_send(w);
	else
		starts_send(w);
}

static void
writer_read(struct writer *w)
{
	PGresult *r;

	if (!PQconsumeInput(w->db))
		die("bare", PQerrorMessage(w->db));
	if (PQisBusy(w->db))
		return;
	while ((r = PQgetResult(w->db)) != NULL) {
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("bare", PQresultErrorMessage(r));
		if ((unsigned)atoi(PQcmdTuples(r)) != w->count)
			die("bare", "not all rows were written");
		PQclear(r);
	}
	w->busy = false;
	/* Batches of two connections may arrive in either order. */
	if (w->journal)
		w->bare->done += w->count;
}

/* What was inserted without a gap before it. */
static void
arrived_set(struct bare *b, const struct writer *writers)
{
	unsigned low = b->taken;

	for (int i = 0; i < 2 * PAIRS; i++)
		if (!writers[i].journal && writers[i].busy &&
		    writers[i].first < low)
			low = writers[i].first;
	b->arrived = low;
}

static void
bare_turn(int ep, struct bare *b, struct writer *writers)
{
	struct epoll_event events[2 * PAIRS];
	int n;

	for (int i = 0; i < 2 * PAIRS; i++)
		writer_feed(&writers[i]);
	n = epoll_wait(ep, events, 2 * PAIRS, -1);
	for (int i = 0; i < n; i++)
		writer_read(events[i].data.ptr);
	arrived_set(b, writers);
}

/* Executions a second. */
static double
bare_run(struct bare *b, struct writer *writers)
{
	double begun = now_us();
	int ep = epoll_create1(0);

	b->taken = b->arrived = b->told = b->done = 0;
	for (int i = 0; i < 2 * PAIRS; i++) {
		struct epoll_event ev = {
		    .events = EPOLLIN, .data.ptr = &writers[i]};

		epoll_ctl(ep, EPOLL_CTL_ADD, PQsocket(writers[i].db), &ev);
	}
	while (b->done < b->wanted)
		bare_turn(ep, b, writers);
	close(ep);
	return b->wanted / ((now_us() - begun) / 1e6);
}

static void
writers_open(struct bare *b, struct writer *writers)
{
	PGresult *r;

	for (int i = 0; i < 2 * PAIRS; i++) {
		struct writer *w = &writers[i];

		w->bare = b;
		w->journal = i % 2 == 1;
		w->db = database_connect(setting("OPEN_BENCH_DATABASE"));
		r = PQprepare(w->db, "write",
		    w->journal ? journal_sql : insert_sql, 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("bare", PQerrorMessage(w->db));
		PQclear(r);
		buf_create(&w->ids, 0);
		buf_create(&w->entries, 0);
		buf_create(&w->started, 0);
		buf_create(&w->completed, 0);
	}
}

/* --- OPEN --- */

struct totals {
	double executions, commits, entries, batches;
};

static struct totals
totals_now(PGconn *db)
{
	static const char sql[] =
	    "select count(*), count(distinct inserted_at) from open.executions";
	PGresult *r = PQexec(db, sql);
	struct totals t;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		die("database", PQerrorMessage(db));
	t.executions = strtod(PQgetvalue(r, 0, 0), NULL);
	t.commits = strtod(PQgetvalue(r, 0, 1), NULL);
	t.entries = server_metric("open_journal_entries_total");
	t.batches = server_metric("open_journal_batches_total");
	PQclear(r);
	return t;
}

/* Executions a second, from the first request to the last commit. */
static double
open_run(struct load *l)
{
	double begun = now_us();

	load_run(l, EXECUTIONS, NULL);
	server_wait_idle();
	return EXECUTIONS / ((now_us() - begun) / 1e6);
}

static void
check(PGconn *db)
{
	static const char sql[] =
	    "select count(*) from open.executions e where dag_id = $1::uuid"
	    " and not (status = 'success' and succeeded_nodes = 10 and"
	    " (select sum(cardinality(nodes)) from open.node_history h"
	    " where h.execution_id = e.id) >= 10)";

	if (database_number(db, sql, setting("OPEN_BENCH_DAG")) > 0)
		die("throughput", "not every execution has its history");
}

static unsigned
average(double a, double b)
{
	double n = b > 0 ? a / b + 0.5 : 1;

	return n < 1 ? 1 : n > BATCH_MAX ? BATCH_MAX : (unsigned)n;
}

int
main(void)
{
	static struct load l;
	static struct writer writers[2 * PAIRS];
	char request[2048];
	struct bare bare = {.wanted = EXECUTIONS};
	struct samples ours = {0}, theirs = {0};
	struct row row = {.what = "10-node executions, 32 clients, batch",
	    .peer = "bare C program, same records and batches",
	    .unit = "/s",
	    .limit = 0.5,
	    .at_least = 1};
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	struct totals before, after;
	size_t len;

	bare.inserted = calloc(EXECUTIONS, sizeof(*bare.inserted));
	database_run(db, setup_sql);
	bare.entry_oid = (unsigned)database_number(
	    db, "select 'open_bench.entry'::regtype::oid", NULL);
	writers_open(&bare, writers);
	len = http_start_request(request, sizeof(request),
	    setting("OPEN_BENCH_TOKEN"), setting("OPEN_BENCH_DAG"));
	load_http_open(&l, CLIENTS, request, len);
	load_run(&l, 2000, NULL); /* warm */
	server_wait_idle();
	before = totals_now(db);
	for (int i = 0; i < ROUNDS; i++) {
		after = totals_now(db);
		samples_add(&ours, open_run(&l));
		before = after;
		after = totals_now(db);
		bare.starts = average(after.executions - before.executions,
		    after.commits - before.commits);
		bare.journal = average(after.entries - before.entries,
		    after.batches - before.batches);
		samples_add(&theirs, bare_run(&bare, writers));
	}
	check(db);
	table_head();
	printf("  starts in batches of %u, ends in batches of %u; refused for "
	       "now: %u\n",
	    bare.starts, bare.journal, l.refused);
	row.ours = samples_quantile(&ours, 0.5);
	row.theirs = samples_quantile(&theirs, 0.5);
	table_row(&row);
	load_http_close(&l);
	PQfinish(db);
	return 0;
}
