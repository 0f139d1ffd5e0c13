/* graphql_http.h - one request of GraphQL out, one whole answer in, however long.
 *
 * Owner:    the caller opens and closes. Process: private.
 * Fails:    every failure ends the benchmark with a message, also an answer that
 *           is not 200 or has errors.
 */
#ifndef OPEN_BENCH_GRAPHQL_HTTP_H
#define OPEN_BENCH_GRAPHQL_HTTP_H

#include "load.h"

#define ANSWER_MAX  (1u << 20)
#define REQUEST_MAX 4096

struct asker {
	int fd;
	size_t got;
	char text[ANSWER_MAX]; /* NUL-terminated as far as got */
};

struct question {
	char text[REQUEST_MAX];
	size_t len;
};

/* document: text of JSON without its quotes; id: of the variable, or NULL.
 * token NULL: none. */
static inline void
question_make(
    struct question *q, const char *token, const char *document, const char *id)
{
	char body[2048];
	int n, len;

	n = snprintf(body, sizeof(body),
	    "{\"query\":\"%s\",\"variables\":{%s%s%s}}", document,
	    id == NULL ? "" : "\"id\":\"", id == NULL ? "" : id,
	    id == NULL ? "" : "\"");
	len = snprintf(q->text, sizeof(q->text),
	    "POST /graphql HTTP/1.1\r\nHost: bench\r\n%s%s%s"
	    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
	    token == NULL ? "" : "Authorization: Bearer ",
	    token == NULL ? "" : token, token == NULL ? "" : "\r\n", n, body);
	if (n < 0 || len < 0 || (size_t)n >= sizeof(body) ||
	    (size_t)len >= sizeof(q->text))
		die("request", "too long");
	q->len = (size_t)len;
}

/* What costs a request nothing but itself. */
static inline void
question_bare(struct question *q)
{
	q->len = (size_t)snprintf(q->text, sizeof(q->text),
	    "GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n");
}

static inline void
asker_send(struct asker *a, const char *request, size_t len)
{
	a->got = 0;
	if (write(a->fd, request, len) != (ssize_t)len)
		die("write", strerror(errno));
}

/* Reads once; true when the whole answer is there. */
static inline bool
asker_receive(struct asker *a)
{
	if (!http_read(a->fd, a->text, ANSWER_MAX, &a->got))
		return false;
	if (strncmp(a->text, "HTTP/1.1 200", 12) != 0 ||
	    strstr(a->text, "\"errors\":") != NULL)
		die("unexpected answer", a->text);
	return true;
}

static inline void
asker_ask(struct asker *a, const struct question *q)
{
	asker_send(a, q->text, q->len);
	while (!asker_receive(a))
		;
}

static inline struct asker *
asker_open(const char *address)
{
	struct asker *a = calloc(1, sizeof(*a));

	if (a == NULL)
		die("memory", "none left");
	a->fd = http_connect(address);
	return a;
}

static inline void
asker_close(struct asker *a)
{
	close(a->fd);
	free(a);
}

/* --- rates ------------------------------------------------------------------ */

static inline void
asker_load_send(struct load *l, struct load_client *c)
{
	asker_send(c->state, l->request, l->request_len);
}

static inline bool
asker_load_receive(struct load *l, struct load_client *c)
{
	(void)l;
	return asker_receive(c->state);
}

/* Requests a second of so many clients on connections of their own. */
static inline double
asker_rate(const char *address, const struct question *q, unsigned clients,
    unsigned requests)
{
	struct load l = {.clients = clients,
	    .send = asker_load_send,
	    .receive = asker_load_receive,
	    .request = q->text,
	    .request_len = q->len};
	double seconds;

	for (unsigned i = 0; i < clients; i++) {
		struct asker *a = asker_open(address);

		l.client[i] = (struct load_client){.fd = a->fd, .state = a};
	}
	(void)load_run(&l, requests / 10 + clients, NULL);
	seconds = load_run(&l, requests, NULL);
	for (unsigned i = 0; i < clients; i++)
		asker_close(l.client[i].state);
	return requests / seconds;
}

#endif
