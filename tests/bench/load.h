/* load.h - a closed loop of clients in one epoll loop: each has one request under
 * way and sends the next when it is answered.
 *
 * Owner:    the caller opens and closes the descriptors. Process: private.
 * Fails:    every failure ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_LOAD_H
#define OPEN_BENCH_LOAD_H

#include <sys/epoll.h>

#include "http.h"
#include "stats.h"

#define CLIENTS_MAX 64

struct load_client {
	int fd;
	void *state;
	double sent_us;
};

struct load {
	unsigned clients;
	struct load_client client[CLIENTS_MAX];
	void (*send)(struct load *, struct load_client *);
	/* Reads what is there; true: a whole answer. */
	bool (*receive)(struct load *, struct load_client *);
	const char *request; /* what load_http sends */
	size_t request_len;
	unsigned refused; /* answers that asked to come again, which we did */
};

static inline void
load_send(struct load *l, struct load_client *c)
{
	c->sent_us = now_us();
	l->send(l, c);
}

static inline int
load_open(struct load *l)
{
	int ep = epoll_create1(0);

	for (unsigned i = 0; i < l->clients; i++) {
		struct load_client *c = &l->client[i];
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

		if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) != 0)
			die("epoll_ctl", strerror(errno));
	}
	return ep;
}

/* So many requests in all. Adds their latencies in microseconds (NULL: no);
 * returns the seconds it took. */
static inline double
load_run(struct load *l, unsigned requests, struct samples *latencies)
{
	struct epoll_event events[CLIENTS_MAX];
	unsigned sent = 0, done = 0;
	double begun = now_us();
	int ep = load_open(l), n;

	for (unsigned i = 0; i < l->clients && sent < requests; i++, sent++)
		load_send(l, &l->client[i]);
	while (done < sent) {
		n = epoll_wait(ep, events, CLIENTS_MAX, -1);
		for (int k = 0; k < n; k++) {
			struct load_client *c = events[k].data.ptr;

			if (!l->receive(l, c))
				continue;
			if (latencies != NULL)
				samples_add(latencies, now_us() - c->sent_us);
			done++;
			if (sent < requests) {
				load_send(l, c);
				sent++;
			}
		}
	}
	close(ep);
	return (now_us() - begun) / 1e6;
}

/* --- clients of the server --- */

static inline void
load_http_send(struct load *l, struct load_client *c)
{
	http_send(c->state, l->request, l->request_len);
}

/* A client that is refused because too much is under way comes again soon; the
 * time until it is accepted counts. */
static inline bool
load_http_receive(struct load *l, struct load_client *c)
{
	struct http *h = c->state;

	if (!http_receive(h))
		return false;
	if (!h->refused)
		return true;
	l->refused++;
	usleep(1000);
	l->send(l, c);
	return false;
}

/* Keep-alive connections, all of which send the same request. */
static inline void
load_http_open(
    struct load *l, unsigned clients, const char *request, size_t len)
{
	*l = (struct load){.clients = clients,
	    .send = load_http_send,
	    .receive = load_http_receive,
	    .request = request,
	    .request_len = len};
	for (unsigned i = 0; i < clients; i++) {
		struct http *h = calloc(1, sizeof(*h));

		if (h == NULL)
			die("memory", "none left");
		h->fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
		l->client[i] = (struct load_client){.fd = h->fd, .state = h};
	}
}

static inline void
load_http_close(struct load *l)
{
	for (unsigned i = 0; i < l->clients; i++) {
		close(l->client[i].fd);
		free(l->client[i].state);
	}
}

#endif
