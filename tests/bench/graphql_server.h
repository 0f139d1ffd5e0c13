/* graphql_server.h - requests of GraphQL to the server, beside what they can't be
 * faster than: a constant answer of the same server, and the statement that a
 * person would write, prepared, asked by libpq on a connection of its own as the
 * owner of the tables, for whom there are no policies.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS.
 */
#ifndef OPEN_BENCH_GRAPHQL_SERVER_H
#define OPEN_BENCH_GRAPHQL_SERVER_H

#include "graphql_http.h"
#include "server.h"
#include "table.h"

#define ROUNDS_SERVER 9
#define CLIENTS	      32
#define RATE_REQUESTS 20000

#define LAST_FIRST "sort: [{field: INSERTED_AT, order: DESC}]"
#define DAG_DOCUMENT                                                           \
	"query ($id: ID!) { dag(id: $id) { id name description status "        \
	"version insertedAt creator { id name email } "                        \
	"activeVersion { id number } "                                         \
	"executions(first: 10, " LAST_FIRST ") { id status insertedAt "        \
	"totalNodes succeededNodes } } }"
#define LIST_DOCUMENT(count)                                                   \
	"{ dags(limit: " #count ", " LAST_FIRST ") { id name status version "  \
	"insertedAt creator { id name } executions(first: 1, " LAST_FIRST      \
	") { id status insertedAt } } }"
#define NODES_DOCUMENT                                                         \
	"query ($id: ID!) { execution(id: $id) { id status nodeExecutions { "  \
	"id nodeName status startedAt completedAt } } }"

/* A statement and what it is asked with. */
struct bare {
	const char *name, *sql, *param;
};

static const char bare_dag[] =
    "select d.id, d.name, d.description, d.status, d.version, d.inserted_at,"
    " u.id, u.name, u.email, v.id, v.number, e.ids, e.status, e.inserted_at,"
    " e.total, e.succeeded from open.dags d"
    " left join open.users u on u.id = d.created_by"
    " left join open.dag_versions v on v.id = d.active_version_id"
    " left join lateral (select array_agg(x.id::uuid) as ids,"
    " array_agg(x.status::text) as status,"
    " array_agg(x.inserted_at) as inserted_at,"
    " array_agg(x.total_nodes::int) as total,"
    " array_agg(x.succeeded_nodes::int) as succeeded from"
    " (select * from open.executions where dag_id = d.id"
    " order by inserted_at desc, id desc limit 10) x) e on true"
    " where d.id = $1::uuid and d.deleted_at is null";
static const char bare_list[] =
    "select d.id, d.name, d.status, d.version, d.inserted_at, u.id, u.name,"
    " e.id, e.status, e.inserted_at from open.dags d"
    " left join open.users u on u.id = d.created_by"
    " left join lateral (select id, status, inserted_at from open.executions"
    " where dag_id = d.id order by inserted_at desc, id desc limit 1) e"
    " on true where d.organization_id ="
    " (select id from open.organizations where slug = 'bench')"
    " and d.deleted_at is null"
    " order by d.inserted_at desc, d.id desc limit $1::int";
static const char bare_nodes[] =
    "select e.id, e.status, n.id, n.node_name, n.status, n.started_at,"
    " n.completed_at from open.executions e"
    " join open.node_executions n on n.execution_id = e.id"
    " where e.id = $1::uuid order by n.node_index limit 1000";

/* 1,000 DAGs of 20 people, each with three executions that have ended; and the
 * DAG "ten" with twenty. */
static const char fill_sql[] =
    "insert into open.users (email, name) select 'list' || i ||"
    " '@bench.test', 'Person ' || i from generate_series(1, 20) i"
    " on conflict do nothing;"
    "insert into open.memberships (organization_id, user_id)"
    " select o.id, u.id from open.organizations o, open.users u"
    " where o.slug = 'bench' and u.email like 'list%@bench.test'"
    " on conflict do nothing;"
    "insert into open.dags (organization_id, name, description, created_by)"
    " select o.id, 'list ' || i, 'One of a thousand', (select id from"
    " open.users where email = 'list' || i % 20 + 1 || '@bench.test')"
    " from open.organizations o, generate_series(1, 1000) i"
    " where o.slug = 'bench' on conflict do nothing;"
    "update open.dags set created_by = (select id from open.users where"
    " email = 'bench@bench.test') where name = 'ten';"
    "insert into open.executions (id, organization_id, dag_id, dag_version_id,"
    " finished, status, inserted_at, started_at, completed_at, total_nodes,"
    " succeeded_nodes) select (left(open.uuid_v7()::text, 28) ||"
    " '00000000')::uuid, d.organization_id, d.id,"
    " coalesce(d.active_version_id, open.uuid_v7()), true, 'success',"
    " now() - i * interval '1 second', now() - i * interval '1 second',"
    " now(), 10, 10 from open.dags d, generate_series(1, 20) i"
    " where (d.name like 'list %' and i <= 3) or d.name = 'ten';"
    "analyze open.dags; analyze open.executions; analyze open.users";

static inline void
bare_prepare(PGconn *db, const struct bare *b)
{
	PGresult *r = PQprepare(db, b->name, b->sql, 1, NULL);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		die(b->name, PQerrorMessage(db));
	PQclear(r);
}

/* Rows that came. */
static inline int
bare_ask(PGconn *db, const struct bare *b)
{
	const char *values[1] = {b->param};
	PGresult *r = PQexecPrepared(db, b->name, 1, values, NULL, NULL, 0);
	int rows = PQntuples(r);

	if (PQresultStatus(r) != PGRES_TUPLES_OK || rows == 0)
		die(b->name, PQerrorMessage(db));
	PQclear(r);
	return rows;
}

/* p50 in microseconds. */
static inline double
bare_time(PGconn *db, const struct bare *b, unsigned count)
{
	struct samples s = {0};
	double p50;

	for (unsigned i = 0; i < count; i++) {
		double begun = now_us();

		(void)bare_ask(db, b);
		samples_add(&s, now_us() - begun);
	}
	p50 = samples_quantile(&s, 0.5);
	samples_free(&s);
	return p50;
}

static inline double
asker_time(struct asker *a, const struct question *q, unsigned count)
{
	struct samples s = {0};
	double p50;

	for (unsigned i = 0; i < count; i++) {
		double begun = now_us();

		asker_ask(a, q);
		samples_add(&s, now_us() - begun);
	}
	p50 = samples_quantile(&s, 0.5);
	samples_free(&s);
	return p50;
}

static inline void
typename_compare(void)
{
	const char *address = setting("OPEN_BENCH_ADDRESS");
	struct samples ours = {0}, theirs = {0};
	struct question q, bare;

	question_make(&q, setting("OPEN_BENCH_TOKEN"), "{ __typename }", NULL);
	question_bare(&bare);
	for (int i = 0; i < ROUNDS_SERVER; i++) {
		samples_add(&theirs,
		    asker_rate(address, &bare, CLIENTS, RATE_REQUESTS));
		samples_add(
		    &ours, asker_rate(address, &q, CLIENTS, RATE_REQUESTS));
	}
	table_row(
	    &(struct row){.what = "{ __typename }, requests/s, 32 clients",
		.peer = "GET /healthz of the same server",
		.ours = samples_quantile(&ours, 0.5),
		.theirs = samples_quantile(&theirs, 0.5),
		.unit = "/s",
		.limit = 0.7,
		.at_least = 1});
	samples_free(&ours);
	samples_free(&theirs);
}

/* p50 of one client; the peer is the statement, asked where it is, and what a
 * constant answer takes. */
struct reading {
	const char *what, *document, *id;
	struct bare bare;
	int rows;
	unsigned count;	  /* requests a round */
	double limit, ms; /* of the ratio; of ours, 0: none */
};

static inline void
reading_row(const struct reading *r, double ours, double theirs)
{
	table_row(&(struct row){.what = r->what,
	    .peer = "its SQL by hand, libpq, + GET /healthz",
	    .ours = ours / 1e3,
	    .theirs = theirs / 1e3,
	    .unit = "ms",
	    .limit = r->limit});
	if (r->ms > 0)
		table_row(&(struct row){.what = r->what,
		    .ours = ours / 1e3,
		    .unit = "ms",
		    .limit = r->ms});
}

static inline void
reading_compare(PGconn *db, const struct reading *r)
{
	struct asker *a = asker_open(setting("OPEN_BENCH_ADDRESS"));
	struct samples ours = {0}, theirs = {0};
	struct question q, bare;

	question_make(&q, setting("OPEN_BENCH_TOKEN"), r->document, r->id);
	question_bare(&bare);
	bare_prepare(db, &r->bare);
	if (bare_ask(db, &r->bare) != r->rows)
		die(r->what, "other rows than expected");
	for (int i = 0; i < ROUNDS_SERVER + 1; i++) {
		double sql = bare_time(db, &r->bare, r->count);
		double http = asker_time(a, &bare, r->count);
		double here = asker_time(a, &q, r->count);

		if (i == 0)
			continue; /* plans are being made */
		samples_add(&ours, here);
		samples_add(&theirs, sql + http);
	}
	reading_row(
	    r, samples_quantile(&ours, 0.5), samples_quantile(&theirs, 0.5));
	samples_free(&ours);
	samples_free(&theirs);
	asker_close(a);
}

static inline void
execution_of_nodes(PGconn *db, char execution[37])
{
	static struct http h;
	char dag[37];

	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	dag_id("fan", dag);
	ended_listen(db);
	(void)execution_run(&h, dag, db, execution);
	ended_ignore(db);
	execution_check(db, execution);
	server_wait_idle();
	close(h.fd);
}

static inline void
server_compare(void)
{
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	char dag[37], execution[37];

	dag_id("ten", dag);
	database_run(db, fill_sql);
	execution_of_nodes(db, execution);
	typename_compare();
	reading_compare(db,
	    &(struct reading){"dag(id) with creator, version, 10 executions",
		DAG_DOCUMENT, dag, {"dag", bare_dag, dag}, 1, 400, 1.3, 0});
	reading_compare(
	    db, &(struct reading){"50 DAGs with creator, last execution",
		    LIST_DOCUMENT(50), NULL, {"fifty", bare_list, "50"}, 50,
		    100, 1.5, 10});
	reading_compare(
	    db, &(struct reading){"1,000 DAGs with creator, last execution",
		    LIST_DOCUMENT(1000), NULL, {"thousand", bare_list, "1000"},
		    1000, 20, 1.5, 10});
	reading_compare(
	    db, &(struct reading){"an execution with 1,000 nodes",
		    NODES_DOCUMENT, execution, {"nodes", bare_nodes, execution},
		    1000, 20, 1.5, 10});
	PQfinish(db);
}

#endif
