/* bench_peers - OPEN beside what users would pick instead: DBOS, Restate,
 * graphile-worker and BullMQ, each in a process of its own that peers/main.mjs
 * runs, on the same machine and the same PostgreSQL where it uses one, in
 * alternating rounds. What each of them guarantees: README.md.
 *
 *   executions of 10 nodes in a chain, as many a second as it can
 *   executions of 1,000 nodes in a chain, one at a time, every node durable
 *   before the next begins
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS, _PEERS (the folder
 * where build.sh installed them; empty: they could not be installed).
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "load.h"
#include "server.h"
#include "table.h"

#define CLIENTS	   32
#define ROUNDS	   3
#define EXECUTIONS 10000 /* of 10 nodes, a round of OPEN */
#define PEER_S	   2.0	 /* about so long is a peer's round */

static const struct rival {
	const char *name, *ten, *chain; /* how the rows call it */
	double ten_limit, chain_limit;	/* chain: 0, it has no such mode */
} rivals[] = {
    {"dbos", "DBOS: each step committed", "DBOS: each step committed", 120, 6},
    {"restate", "Restate: each step in its synced log",
	"Restate: each step in its synced log", 50, 3.5},
    {"graphile", "graphile-worker: each job committed", NULL, 45, 0},
    {"bullmq", "BullMQ: Redis, appendfsync always",
	"BullMQ: Redis, appendfsync always", 20, 3},
};

/* --- a peer's process --- */

struct peer {
	const struct rival *rival;
	pid_t pid;
	FILE *in, *out;
	bool failed;
};

static void
peer_exec(const char *name, int in, int out)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	if (chdir(setting("OPEN_BENCH_PEERS")) == 0)
		execl("node_modules/.bin/node", "node", "main.mjs", name, NULL);
	_exit(127);
}

static void
peer_start(struct peer *p, const struct rival *rival)
{
	char line[128];
	int in[2], out[2];

	*p = (struct peer){.rival = rival};
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("pipe", strerror(errno));
	if ((p->pid = fork()) == 0)
		peer_exec(rival->name, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	p->in = fdopen(in[1], "w");
	p->out = fdopen(out[0], "r");
	p->failed = fgets(line, sizeof(line), p->out) == NULL ||
		    strcmp(line, "ready\n") != 0;
}

/* Seconds; 1 and failed, if it ended. */
static double
peer_run(struct peer *p, const char *what, unsigned count)
{
	char line[128];

	if (!p->failed && fprintf(p->in, "%s %u\n", what, count) > 0 &&
	    fflush(p->in) == 0 && fgets(line, sizeof(line), p->out) != NULL)
		return strtod(line, NULL);
	p->failed = true;
	return 1;
}

static void
peer_stop(struct peer *p)
{
	fclose(p->in);
	waitpid(p->pid, NULL, 0);
	fclose(p->out);
}

/* --- OPEN --- */

struct open {
	PGconn *db;
	char ten[37], chain[37];
	char request[2048];
	size_t request_len;
};

static void
open_create(struct open *o)
{
	dag_id("ten", o->ten);
	dag_id("chain-sync", o->chain);
	o->request_len = http_start_request(o->request, sizeof(o->request),
	    setting("OPEN_BENCH_TOKEN"), o->ten);
	o->db = database_connect(setting("OPEN_BENCH_DATABASE"));
}

/* Executions a second, everything committed. The server hangs up on clients
 * that are idle as long as a peer's round, so they connect anew. */
static double
open_ten(struct open *o)
{
	struct load l;
	double begun;

	load_http_open(&l, CLIENTS, o->request, o->request_len);
	begun = now_us();
	load_run(&l, EXECUTIONS, NULL);
	server_wait_idle();
	begun = now_us() - begun;
	load_http_close(&l);
	return EXECUTIONS / (begun / 1e6);
}

/* Milliseconds. */
static double
open_chain(struct open *o)
{
	static struct http h;
	char execution[37];
	double us;

	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	us = execution_run(&h, o->chain, o->db, execution);
	execution_check(o->db, execution);
	close(h.fd);
	return us / 1e3;
}

static void
open_check(struct open *o)
{
	if (database_number(o->db,
		"select count(*) from open.executions where dag_id = $1::uuid"
		" and (status <> 'success' or succeeded_nodes <> 10)",
		o->ten) != 0)
		die("OPEN", "an execution did not succeed");
}

/* --- the rounds --- */

static void
ten_compare(struct open *o, struct peer *p)
{
	struct samples ours = {0}, theirs = {0};
	double warm = peer_run(p, "ten", 200);
	unsigned count = (unsigned)(PEER_S * 200 / warm);
	struct row row = {.what = "10-node executions, batch: starts committed",
	    .peer = p->rival->ten,
	    .unit = "/s",
	    .limit = p->rival->ten_limit,
	    .at_least = 1};

	count = count < 50 ? 50 : count;
	peer_run(p, "ten", count);
	open_ten(o);
	for (int i = 0; i < ROUNDS && !p->failed; i++) {
		samples_add(&ours, open_ten(o));
		samples_add(&theirs, count / peer_run(p, "ten", count));
	}
	row.ours = samples_quantile(&ours, 0.5);
	row.theirs = samples_quantile(&theirs, 0.5);
	if (!p->failed)
		table_row(&row);
	samples_free(&ours);
	samples_free(&theirs);
}

static void
chain_compare(struct open *o, struct peer *p)
{
	struct samples ours = {0}, theirs = {0};
	struct row row = {.what = "sync, chain of 1,000: each node committed",
	    .peer = p->rival->chain,
	    .unit = "ms",
	    .limit = p->rival->chain_limit,
	    .at_least = 1,
	    .inverse = 1};

	ended_listen(o->db);
	peer_run(p, "chain", 1);
	for (int i = 0; i < ROUNDS && !p->failed; i++) {
		samples_add(&ours, open_chain(o));
		samples_add(&theirs, peer_run(p, "chain", 1) * 1e3);
	}
	ended_ignore(o->db);
	row.ours = samples_quantile(&ours, 0.5);
	row.theirs = samples_quantile(&theirs, 0.5);
	if (!p->failed)
		table_row(&row);
	samples_free(&ours);
	samples_free(&theirs);
}

static void
failure_note(const struct rival *rival)
{
	char text[128];

	snprintf(text, sizeof(text),
	    "%s: not measured, it did not start or ended in the middle",
	    rival->name);
	table_note(text);
}

int
main(void)
{
	static struct open o;
	struct peer p;

	signal(SIGPIPE, SIG_IGN);
	table_head();
	if (getenv("OPEN_BENCH_PEERS") == NULL) {
		table_note("peers: not measured, npm could not install them");
		return 0;
	}
	open_create(&o);
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++) {
		peer_start(&p, &rivals[i]);
		if (!p.failed)
			ten_compare(&o, &p);
		if (!p.failed && rivals[i].chain != NULL)
			chain_compare(&o, &p);
		if (p.failed)
			failure_note(&rivals[i]);
		peer_stop(&p);
	}
	open_check(&o);
	PQfinish(o.db);
	return 0;
}
