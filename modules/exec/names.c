/* names.c - a queue, a few threads in getaddrinfo, an eventfd for answers. */
#include "exec/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "exec/thread.h"

#define STACK	    (256u << 10)
#define OWN_THREADS (NAMES_THREADS / 2) /* of one owner */
#define ADDRESSES   16

struct names {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct lookup *queue, **queue_end;
	struct lookup *done, **done_end;
	struct lookup *running[NAMES_THREADS];
	unsigned threads, idle, queued;
	unsigned users; /* the driver and the threads; the last one frees */
	bool ending;
	int fd;
};

void
lookup_free(struct lookup *l)
{
	if (l != NULL)
		free(l->addresses);
	free(l);
}

struct names *
names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (n->fd < 0) {
		free(n);
		return NULL;
	}
	pthread_mutex_init(&n->lock, NULL);
	pthread_cond_init(&n->work, NULL);
	n->queue_end = &n->queue;
	n->done_end = &n->done;
	n->users = 1;
	return n;
}

int
names_fd(const struct names *n)
{
	return n->fd;
}

static void
list_free(struct lookup *l)
{
	while (l != NULL) {
		struct lookup *next = l->next;

		lookup_free(l);
		l = next;
	}
}

/* Gives the lock back; whoever leaves last frees all. */
static void
leave(struct names *n)
{
	bool last = --n->users == 0;

	pthread_mutex_unlock(&n->lock);
	if (!last)
		return;
	list_free(n->queue);
	list_free(n->done);
	pthread_cond_destroy(&n->work);
	pthread_mutex_destroy(&n->lock);
	close(n->fd);
	free(n);
}

/* --- a lookup ------------------------------------------------------------- */

static void
put_address(struct buf *b, const struct addrinfo *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *bytes;

	if (a->ai_family == AF_INET)
		bytes = &((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr;
	else if (a->ai_family == AF_INET6)
		bytes = &((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr;
	else
		return;
	if (inet_ntop(a->ai_family, bytes, text, sizeof(text)) == NULL)
		return;
	if (b->len > 0)
		buf_putc(b, ',');
	buf_printf(b, a->ai_family == AF_INET ? "%s" : "[%s]", text);
}

static void
look_up(struct lookup *l)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list, *a;
	struct buf b;
	unsigned count = 0;
	int rc = getaddrinfo(l->host, NULL, &hints, &list);

	if (rc != 0) {
		l->error = rc == EAI_NONAME || rc == EAI_NODATA
			       ? "there is no such name"
			       : "no name server answered";
		return;
	}
	buf_create(&b, 0);
	for (a = list; a != NULL && count < ADDRESSES; a = a->ai_next, count++)
		put_address(&b, a);
	freeaddrinfo(list);
	if (b.len > 0)
		l->addresses = buf_take(&b, NULL);
	if (l->addresses == NULL)
		l->error = "it has no address";
	buf_free(&b);
}

/* --- threads -------------------------------------------------------------- */

static unsigned
running_for(const struct names *n, const struct uuid *owner)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NAMES_THREADS; i++)
		count += n->running[i] != NULL &&
			 uuid_equal(&n->running[i]->owner, owner);
	return count;
}

/* The first in the queue whose owner has not its share already. */
static struct lookup *
take(struct names *n)
{
	struct lookup **link = &n->queue;

	for (; *link != NULL; link = &(*link)->next) {
		struct lookup *l = *link;

		if (!atomic_load(&l->dropped) &&
		    running_for(n, &l->owner) >= OWN_THREADS)
			continue;
		*link = l->next;
		if (*link == NULL)
			n->queue_end = link;
		l->next = NULL;
		n->queued--;
		return l;
	}
	return NULL;
}

static void
answer(struct names *n, struct lookup *l)
{
	uint64_t one = 1;

	*n->done_end = l;
	n->done_end = &l->next;
	while (write(n->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void
run(struct names *n, struct lookup *l)
{
	unsigned at = 0;

	while (n->running[at] != NULL)
		at++;
	n->running[at] = l;
	pthread_mutex_unlock(&n->lock);
	if (!atomic_load(&l->dropped))
		look_up(l);
	pthread_mutex_lock(&n->lock);
	n->running[at] = NULL;
	answer(n, l);
	if (n->queue != NULL) /* the owner's share may have held it up */
		pthread_cond_signal(&n->work);
}

static void *
thread_main(void *arg)
{
	struct names *n = arg;
	struct lookup *l;

	pthread_mutex_lock(&n->lock);
	while (!n->ending) {
		if ((l = take(n)) != NULL) {
			run(n, l);
			continue;
		}
		n->idle++;
		pthread_cond_wait(&n->work, &n->lock);
		n->idle--;
	}
	leave(n);
	return NULL;
}

void
names_ask(struct names *n, struct lookup *l)
{
	l->next = NULL;
	pthread_mutex_lock(&n->lock);
	*n->queue_end = l;
	n->queue_end = &l->next;
	n->queued++;
	if (n->queued > n->idle && n->threads < NAMES_THREADS) {
		n->users++;
		if (thread_start_detached(STACK, thread_main, n))
			n->threads++;
		else
			n->users--;
	}
	if (n->threads == 0) { /* nobody will ever take it */
		n->queue = NULL;
		n->queue_end = &n->queue;
		n->queued = 0;
		l->error = "there is no thread for the lookup";
		answer(n, l);
	} else {
		pthread_cond_signal(&n->work);
	}
	pthread_mutex_unlock(&n->lock);
}

struct lookup *
names_answers(struct names *n)
{
	struct lookup *list;
	uint64_t ignored;

	pthread_mutex_lock(&n->lock);
	if (read(n->fd, &ignored, sizeof(ignored)) < 0)
		ignored = 0;
	list = n->done;
	n->done = NULL;
	n->done_end = &n->done;
	pthread_mutex_unlock(&n->lock);
	return list;
}

void
names_free(struct names *n)
{
	if (n == NULL)
		return;
	pthread_mutex_lock(&n->lock);
	n->ending = true;
	pthread_cond_broadcast(&n->work);
	leave(n);
}
