/* http.h - what the benchmarks need of an HTTP client and of PostgreSQL: blocking
 * connect, one request out, one response in.
 *
 * Owner:    the caller closes the descriptor. Process: private.
 * Fails:    every failure ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_HTTP_H
#define OPEN_BENCH_HTTP_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libpq-fe.h>

#define RESPONSE_MAX 16384

struct http {
	int fd;
	size_t got;
	bool refused; /* the answer was 503, executor full: ask again */
	char response[RESPONSE_MAX]; /* NUL-terminated */
};

static inline void __attribute__((noreturn))
die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

static inline const char *
setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL || *value == '\0')
		die(name, "not set; run ./build.sh bench");
	return value;
}

static inline int
http_connect(const char *address)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	char host[64];
	const char *colon = strrchr(address, ':');
	int fd, on = 1;

	if (colon == NULL || (size_t)(colon - address) >= sizeof(host))
		die(address, "not HOST:PORT");
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	sin.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1)
		die(address, "not an IPv4 address");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		die(address, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The request that starts an execution of a DAG; its length. */
static inline size_t
http_start_request(
    char *request, size_t size, const char *token, const char *dag)
{
	char body[512];
	int n, len;

	n = snprintf(body, sizeof(body),
	    "{\"data\":{\"type\":\"executions\",\"relationships\":{\"dag\":"
	    "{\"data\":{\"type\":\"dags\",\"id\":\"%s\"}}}}}",
	    dag);
	len = snprintf(request, size,
	    "POST /api/v1/executions HTTP/1.1\r\nHost: bench\r\n"
	    "Authorization: Bearer %s\r\n"
	    "Content-Type: application/vnd.api+json\r\n"
	    "Content-Length: %d\r\n\r\n%s",
	    token, n, body);
	if (len < 0 || (size_t)len >= size)
		die("request", "too long");
	return (size_t)len;
}

static inline void
http_send(struct http *h, const char *request, size_t len)
{
	h->got = 0;
	if (write(h->fd, request, len) != (ssize_t)len)
		die("write", strerror(errno));
}

/* Reads once, behind the *got bytes of text that are there (size: room for all
 * and a NUL); true when a whole response has arrived, whatever its status. */
static inline bool
http_read(int fd, char *text, size_t size, size_t *got)
{
	ssize_t n = read(fd, text + *got, size - 1 - *got);
	const char *end, *length;
	size_t whole;

	if (n <= 0)
		die("read", n == 0 ? "the server hung up" : strerror(errno));
	*got += (size_t)n;
	text[*got] = '\0';
	if ((end = strstr(text, "\r\n\r\n")) == NULL)
		return false;
	length = strcasestr(text, "content-length:");
	if (length == NULL || length > end)
		die("answer without content-length", text);
	whole = (size_t)(end + 4 - text) + strtoul(length + 15, NULL, 10);
	if (whole >= size)
		die("answer", "too long");
	return *got >= whole;
}

/* Reads once; true when a whole response with status 201 has arrived, or one
 * that refuses for now. */
static inline bool
http_receive(struct http *h)
{
	if (!http_read(h->fd, h->response, RESPONSE_MAX, &h->got))
		return false;
	h->refused = strncmp(h->response, "HTTP/1.1 503", 12) == 0;
	if (!h->refused && strncmp(h->response, "HTTP/1.1 201", 12) != 0)
		die("unexpected answer", h->response);
	return true;
}

/* Runs statements that return nothing of interest. */
static inline void
database_run(PGconn *db, const char *sql)
{
	PGresult *r = PQexec(db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK &&
	    PQresultStatus(r) != PGRES_TUPLES_OK)
		die("database", PQerrorMessage(db));
	PQclear(r);
}

static inline PGconn *
database_connect(const char *url)
{
	PGconn *db = PQconnectdb(url);

	if (PQstatus(db) != CONNECTION_OK)
		die("database", PQerrorMessage(db));
	return db;
}

#endif
