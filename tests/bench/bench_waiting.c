/* bench_waiting - 100,000 nodes that wait at once in one server: 10 executions
 * of 10,000 nodes of op delay. What they cost of memory while they wait, how
 * late they end, and how long all of it takes until it is durable.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS, _SERVER.
 */
#include "load.h"
#include "server.h"
#include "table.h"

#define DELAY_S	   10
#define EXECUTIONS 10
#define NODES	   100000

/* From the arrays as they are: the view joins them with names, node by node. */
static const char late_sql[] =
    "select percentile_disc(0.99) within group"
    " (order by (c.completed - c.started) / 1e6 - 10)"
    " from open.executions e join open.node_history h on h.execution_id = e.id"
    " cross join lateral unnest(h.states, h.started, h.completed)"
    " as c(state, started, completed)"
    " where e.dag_id = $1::uuid and c.state = 's'";

static const char succeeded_sql[] =
    "select sum(succeeded_nodes) from open.executions where dag_id = $1::uuid";

static void
limit_row(const char *what, double value, const char *unit, double limit)
{
	struct row row = {
	    .what = what, .ours = value, .unit = unit, .limit = limit};

	table_row(&row);
}

int
main(void)
{
	static struct load l;
	PGconn *db = database_connect(setting("OPEN_BENCH_DATABASE"));
	char dag[37], request[2048];
	double begun, took, shared, growth;
	struct server_use use;
	size_t len;

	dag_id("wait", dag);
	len = http_start_request(
	    request, sizeof(request), setting("OPEN_BENCH_TOKEN"), dag);
	load_http_open(&l, EXECUTIONS, request, len);
	use = server_use();
	shared = server_metric("open_shared_memory_free_bytes");
	begun = now_us();
	load_run(&l, EXECUTIONS, NULL);
	pause_us((long)(DELAY_S * 1e6 * 0.8 - (now_us() - begun)));
	shared -= server_metric("open_shared_memory_free_bytes");
	growth = shared + server_use().private_bytes - use.private_bytes;
	server_wait_idle();
	took = (now_us() - begun) / 1e6;
	load_http_close(&l);
	if (database_number(db, succeeded_sql, dag) != NODES)
		die("waiting", "not every node succeeded");
	table_head();
	limit_row("100,000 waiting nodes: shared memory, each", shared / NODES,
	    "B", 256);
	limit_row("100,000 waiting nodes: growth of the server",
	    growth / (1 << 20), "MiB", 100);
	limit_row("100,000 waiting nodes: p99 of how late they end",
	    database_number(db, late_sql, dag) * 1e3, "ms", 10);
	table_row(
	    &(struct row){.what = "100,000 waiting nodes: start to durable end",
		.peer = "the delay itself",
		.ours = took,
		.theirs = DELAY_S,
		.unit = "s",
		.limit = 1.1});
	PQfinish(db);
	return 0;
}
