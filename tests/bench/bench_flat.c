/* bench_flat - memory and CPU time do not grow with how much was run: 1,000,000
 * executions of 10 nodes in the executor alone, whose journal is read and
 * forgotten, and 100,000 through HTTP into the database. What the
 * tenths 7 to 10 took stands beside what the tenths 2 to 5 did.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DAG, _SERVER.
 */
#include <sys/resource.h>

#include "engine.h"
#include "load.h"
#include "server.h"
#include "table.h"

#define TENTHS	    10
#define ENGINE_RUNS 100000 /* a tenth */
#define ENGINE_ONCE 250
#define SERVER_RUNS 10000
#define NODES	    10
#define CLIENTS	    32

struct tenth {
	double cpu_us; /* an execution */
	double memory; /* bytes, at its end */
};

/* The median of four tenths: neighbours on the machine cost CPU time, too. */
static double
cpu_of(const struct tenth *t)
{
	struct samples s = {0};
	double median;

	for (int i = 0; i < 4; i++)
		samples_add(&s, t[i].cpu_us);
	median = samples_quantile(&s, 0.4);
	samples_free(&s);
	return median;
}

static void
rows_print(const struct tenth *t, const char *cpu, const char *memory)
{
	table_row(&(struct row){.what = cpu,
	    .peer = "the same, of its first half",
	    .unit = "us",
	    .ours = cpu_of(t + TENTHS - 4),
	    .theirs = cpu_of(t + 1),
	    .limit = 1.1});
	table_row(&(struct row){.what = memory,
	    .unit = "MiB",
	    .ours = (t[TENTHS - 1].memory - t[1].memory) / (1 << 20),
	    .limit = 2});
}

/* --- the executor alone --- */

static void
chain_put(struct buf *b)
{
	buf_puts(b, "{\"nodes\":[{\"name\":\"n0\"}");
	for (int i = 1; i < NODES; i++)
		buf_printf(b, ",{\"name\":\"n%d\",\"dependencies\":[\"n%d\"]}",
		    i, i - 1);
	buf_puts(b, "]}");
}

static double
own_cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Private memory and what is taken of the shared region. */
static double
own_memory(const struct engine *x)
{
	struct exec_status s;

	exec_status(x->exec, &s);
	return smaps_kilobytes("self", "Pss_Anon:") * 1024 +
	       (double)(s.bytes_total - s.bytes_free);
}

static void
engine_flat(void)
{
	struct tenth tenths[TENTHS];
	struct exec_settings s;
	struct plan_hash hash;
	struct engine x;
	struct plan *p;
	struct buf b;

	exec_settings_default(&s);
	s.pin = false;
	s.compute.threads = 1;
	engine_create(&x, &s);
	buf_create(&b, 0);
	chain_put(&b);
	p = engine_compile(&b, NULL, &hash);
	engine_put(&x, p, &hash);
	for (int t = 0; t < TENTHS; t++) {
		double cpu = own_cpu_us();

		for (int i = 0; i < ENGINE_RUNS; i += ENGINE_ONCE)
			engine_run(&x, &hash, ENGINE_ONCE);
		tenths[t].cpu_us = (own_cpu_us() - cpu) / ENGINE_RUNS;
		tenths[t].memory = own_memory(&x);
	}
	if (x.ended != (uint64_t)TENTHS * ENGINE_RUNS || x.unsuccessful > 0 ||
	    x.nodes != x.ended * NODES)
		die("flat", "not every execution and node was journalled");
	rows_print(tenths, "CPU an execution, end of 1,000,000",
	    "memory, growth over 800,000 executions");
	engine_destroy(&x);
	free(p);
	buf_free(&b);
}

/* --- the server --- */

static void
server_flat(void)
{
	static struct load l;
	struct tenth tenths[TENTHS];
	char request[2048];
	size_t len = http_start_request(request, sizeof(request),
	    setting("OPEN_BENCH_TOKEN"), setting("OPEN_BENCH_DAG"));

	load_http_open(&l, CLIENTS, request, len);
	for (int t = 0; t < TENTHS; t++) {
		struct server_use before = server_use(), after;

		load_run(&l, SERVER_RUNS, NULL);
		server_wait_idle();
		after = server_use();
		tenths[t].cpu_us =
		    (after.cpu_s - before.cpu_s) * 1e6 / SERVER_RUNS;
		tenths[t].memory =
		    after.private_bytes +
		    server_metric("open_shared_memory_bytes") -
		    server_metric("open_shared_memory_free_bytes");
	}
	load_http_close(&l);
	rows_print(tenths, "server: CPU an execution, end of 100,000",
	    "server: memory, growth over 80,000 executions");
}

int
main(void)
{
	table_head();
	engine_flat();
	server_flat();
	return 0;
}
