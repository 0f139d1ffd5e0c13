/* server.h - what the benchmarks ask the server and its database about
 * executions.
 *
 * Fails:    every failure ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_SERVER_H
#define OPEN_BENCH_SERVER_H

#include <dirent.h>
#include <poll.h>
#include <time.h>

#include "http.h"
#include "stats.h"

/* The id of a DAG of OPEN_BENCH_DAGS, "name=id name=id ...". */
static inline void
dag_id(const char *name, char id[37])
{
	const char *at = setting("OPEN_BENCH_DAGS");
	size_t len = strlen(name);

	while (at != NULL && (strncmp(at, name, len) != 0 || at[len] != '='))
		at = (at = strchr(at, ' ')) != NULL ? at + 1 : NULL;
	if (at == NULL || strlen(at + len + 1) < 36)
		die(name, "no such DAG in OPEN_BENCH_DAGS");
	memcpy(id, at + len + 1, 36);
	id[36] = '\0';
}

/* The first column of the first row; 0: no row, or null. */
static inline double
database_number(PGconn *db, const char *sql, const char *param)
{
	const char *values[1] = {param};
	PGresult *r = PQexecParams(db, sql, param != NULL, NULL,
	    param != NULL ? values : NULL, NULL, NULL, 0);
	double n = 0;

	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		die("database", PQerrorMessage(db));
	if (PQntuples(r) > 0)
		n = strtod(PQgetvalue(r, 0, 0), NULL);
	PQclear(r);
	return n;
}

static inline void
pause_us(long us)
{
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&t, NULL);
}

/* The document of GET /metrics, until the next call. */
static inline const char *
server_metrics(void)
{
	static struct http h;
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: bench\r\n"
				      "Connection: close\r\n\r\n";
	ssize_t n;

	h.fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	http_send(&h, request, sizeof(request) - 1);
	while (
	    (n = read(h.fd, h.response + h.got, RESPONSE_MAX - 1 - h.got)) > 0)
		h.got += (size_t)n;
	h.response[h.got] = '\0';
	close(h.fd);
	return h.response;
}

/* The value of a metric without labels, as "open_executions". */
static inline double
server_metric(const char *name)
{
	const char *at = server_metrics();
	size_t len = strlen(name);

	while ((at = strchr(at, '\n')) != NULL) {
		at++;
		if (strncmp(at, name, len) == 0 && at[len] == ' ')
			return strtod(at + len, NULL);
	}
	die(name, "no such metric");
}

/* Until every execution that was started has ended and is committed: only then
 * is its place in memory free. */
static inline void
server_wait_idle(void)
{
	double begun = now_us();

	while (server_metric("open_executions") > 0) {
		if (now_us() - begun > 120e6)
			die("executions", "did not end within 120 s");
		pause_us(1000);
	}
}

/* --- the server's processes: those of the session OPEN_BENCH_SERVER --- */

struct server_use {
	double private_bytes; /* what no process of another program shares */
	double cpu_s;
};

static inline double
smaps_kilobytes(const char *pid, const char *field)
{
	char path[64], line[256];
	double kilobytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/smaps_rollup", pid);
	if ((f = fopen(path, "r")) == NULL)
		return 0; /* it has just ended */
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			kilobytes = strtod(line + strlen(field), NULL);
	fclose(f);
	return kilobytes;
}

/* False: another session, or gone. */
static inline bool
process_read(const char *pid, const char *session, double *cpu_s)
{
	char path[64], line[1024], *at;
	unsigned long user, system;
	long of;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	at = fgets(line, sizeof(line), f);
	fclose(f);
	if (at == NULL || (at = strrchr(line, ')')) == NULL ||
	    sscanf(at, ") %*c %*d %*d %ld %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&of, &user, &system) != 3)
		return false;
	*cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	return of == strtol(session, NULL, 10);
}

/* Without the shared memory, which /metrics tells of. */
static inline struct server_use
server_use(void)
{
	const char *session = setting("OPEN_BENCH_SERVER");
	struct server_use use = {0};
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	double cpu_s;

	if (dir == NULL)
		die("/proc", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    !process_read(entry->d_name, session, &cpu_s))
			continue;
		use.private_bytes +=
		    smaps_kilobytes(entry->d_name, "Pss_Anon:") * 1024;
		use.cpu_s += cpu_s;
	}
	closedir(dir);
	if (use.private_bytes <= 0)
		die("OPEN_BENCH_SERVER", "no such processes");
	return use;
}

/* --- one execution, from its request to the commit of its end --- */

/* A trigger tells of the commit of an execution's end; what it costs is inside
 * our figure. It may be an insert: finished executions may have a partition. */
static inline void
ended_listen(PGconn *db)
{
	database_run(db,
	    "create schema if not exists open_bench;"
	    "create or replace function open_bench.ended() returns trigger"
	    " language plpgsql as $$ begin"
	    " perform pg_notify('open_bench_ended', new.id::text);"
	    " return null; end $$;"
	    "create or replace trigger open_bench_ended after insert or update"
	    " on open.executions for each row"
	    " when (new.completed_at is not null)"
	    " execute function open_bench.ended();"
	    "listen open_bench_ended");
}

static inline void
ended_ignore(PGconn *db)
{
	database_run(
	    db, "drop trigger open_bench_ended on open.executions; unlisten *");
}

static inline void
ended_wait(PGconn *db, const char *execution)
{
	struct pollfd p = {.fd = PQsocket(db), .events = POLLIN};
	bool found = false;
	PGnotify *n;

	while (!found) {
		if (!PQconsumeInput(db))
			die("database", PQerrorMessage(db));
		while ((n = PQnotifies(db)) != NULL) {
			found = found || strcmp(n->extra, execution) == 0;
			PQfreemem(n);
		}
		if (!found && poll(&p, 1, 60000) <= 0)
			die(execution, "did not end within 60 s");
	}
}

/* Microseconds; execution: 37 bytes for its id, or NULL. */
static inline double
execution_run(struct http *h, const char *dag, PGconn *db, char *execution)
{
	char request[2048], *location;
	size_t len = http_start_request(
	    request, sizeof(request), setting("OPEN_BENCH_TOKEN"), dag);
	double begun = now_us();

	http_send(h, request, len);
	while (!http_receive(h))
		;
	if (h->refused)
		die("start", "refused: the executor is full");
	location = strcasestr(h->response, "location:");
	if (location == NULL ||
	    (location = strstr(location, "executions/")) == NULL)
		die("answer without location", h->response);
	location += strlen("executions/");
	location[36] = '\0';
	ended_wait(db, location);
	if (execution != NULL)
		memcpy(execution, location, 37);
	return now_us() - begun;
}

/* Ends the benchmark unless all nodes succeeded. */
static inline void
execution_check(PGconn *db, const char *execution)
{
	if (database_number(db,
		"select count(*) from open.executions where id = $1::uuid"
		" and status = 'success' and succeeded_nodes = total_nodes",
		execution) != 1)
		die(execution, "did not succeed");
}

#endif
