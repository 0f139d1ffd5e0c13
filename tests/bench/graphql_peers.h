/* graphql_peers.h - OPEN beside PostGraphile and Mercurius (peers/): the same
 * tables of the same PostgreSQL, the same documents, as many processes as this
 * server has workers, requests/s of 32 clients in alternating rounds. They ask
 * for no credential and have no policies; PostGraphile sorts nothing.
 *
 * Environment: OPEN_BENCH_PEERS, where build.sh installed them; unset: they could
 * not be.
 */
#ifndef OPEN_BENCH_GRAPHQL_PEERS_H
#define OPEN_BENCH_GRAPHQL_PEERS_H

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "graphql_server.h"

#define PEER_PORT   "18090"
#define PEER_ROUNDS 5
#define PEER_LIMIT  3.0

static const struct graphql_peer {
	const char *module, *name;
	const char *dag, *list; /* in its names */
} graphql_peers[] = {
    {"mercurius", "Mercurius: compiled, batching loaders",
	"query ($id: ID!) { dag(id: $id) { id name description status version "
	"insertedAt creator { id name email } activeVersion { id number } "
	"executions(first: 10) { id status insertedAt totalNodes "
	"succeededNodes } } }",
	"{ dags(limit: 50) { id name status version insertedAt "
	"creator { id name } executions(first: 1) { id status insertedAt } } "
	"}"},
    {"postgraphile", "PostGraphile",
	"query ($id: UUID!) { dagByRowId(rowId: $id) { rowId name description "
	"status version insertedAt userByCreatedBy { rowId name email } "
	"dagVersionByActiveVersionId { rowId number } "
	"executionsByDagId(first: 10) { nodes { rowId status insertedAt "
	"totalNodes succeededNodes } } } }",
	"{ allDags(first: 50) { nodes { rowId name status version insertedAt "
	"userByCreatedBy { rowId name } executionsByDagId(first: 1) { nodes "
	"{ rowId status insertedAt } } } } }"},
};

struct graphql_server {
	pid_t pid;
	FILE *in, *out;
};

static inline void
graphql_server_exec(const char *module, int in, int out)
{
	char workers[16];

	snprintf(
	    workers, sizeof(workers), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	setenv("OPEN_BENCH_PEER_PORT", PEER_PORT, 1);
	setenv("OPEN_BENCH_WORKERS",
	    getenv("OPEN_WORKERS") != NULL ? getenv("OPEN_WORKERS") : workers,
	    1);
	setenv("GRAPHILE_ENV", "production", 1);
	setenv("NODE_ENV", "production", 1);
	if (chdir(setting("OPEN_BENCH_PEERS")) == 0)
		execl("node_modules/.bin/node", "node", "graphql.mjs", module,
		    NULL);
	_exit(127);
}

static inline bool
graphql_server_start(struct graphql_server *s, const char *module)
{
	char line[128];
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("pipe", strerror(errno));
	if ((s->pid = fork()) == 0)
		graphql_server_exec(module, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	s->in = fdopen(in[1], "w");
	s->out = fdopen(out[0], "r");
	return fgets(line, sizeof(line), s->out) != NULL &&
	       strcmp(line, "ready\n") == 0;
}

static inline void
graphql_server_stop(struct graphql_server *s)
{
	fclose(s->in);
	waitpid(s->pid, NULL, 0);
	fclose(s->out);
}

/* Rounds of about a second. */
static inline void
graphql_peer_compare(const char *what, const char *name, const char *document,
    const char *their_document, const char *id)
{
	struct samples ours = {0}, theirs = {0};
	const char *address = setting("OPEN_BENCH_ADDRESS");
	const char *peer = "127.0.0.1:" PEER_PORT;
	struct question q, p;
	unsigned n, m;

	question_make(&q, setting("OPEN_BENCH_TOKEN"), document, id);
	question_make(&p, NULL, their_document, id);
	(void)asker_rate(peer, &p, CLIENTS, 1000);
	n = (unsigned)asker_rate(address, &q, CLIENTS, 1000);
	m = (unsigned)asker_rate(peer, &p, CLIENTS, 1000);
	for (int i = 0; i < PEER_ROUNDS; i++) {
		samples_add(&ours, asker_rate(address, &q, CLIENTS, n));
		samples_add(&theirs, asker_rate(peer, &p, CLIENTS, m));
	}
	table_row(&(struct row){.what = what,
	    .peer = name,
	    .ours = samples_quantile(&ours, 0.5),
	    .theirs = samples_quantile(&theirs, 0.5),
	    .unit = "/s",
	    .limit = PEER_LIMIT,
	    .at_least = 1});
	samples_free(&ours);
	samples_free(&theirs);
}

static inline void
graphql_peers_compare(void)
{
	char dag[37];

	if (getenv("OPEN_BENCH_PEERS") == NULL) {
		table_note("peers: not measured, npm could not install them");
		return;
	}
	signal(SIGPIPE, SIG_IGN);
	dag_id("ten", dag);
	for (size_t i = 0; i < sizeof(graphql_peers) / sizeof(*graphql_peers);
	     i++) {
		const struct graphql_peer *p = &graphql_peers[i];
		struct graphql_server s;

		if (graphql_server_start(&s, p->module)) {
			graphql_peer_compare("dag(id) with relations", p->name,
			    DAG_DOCUMENT, p->dag, dag);
			graphql_peer_compare("50 DAGs with relations", p->name,
			    LIST_DOCUMENT(50), p->list, NULL);
		} else {
			table_note("a GraphQL peer did not start: not "
				   "measured");
		}
		graphql_server_stop(&s);
	}
}

#endif
