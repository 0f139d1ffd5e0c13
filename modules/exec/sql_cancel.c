/* sql_cancel.c - PQcancel connects and waits, so a thread calls it. It is a
 * courtesy to the server: our connection is closed in any case. */
#include <pthread.h>
#include <stdlib.h>

#include "exec/sql_client.h"
#include "exec/thread.h"

#define WAITING_MAX 256

struct entry {
	struct entry *next;
	PGcancel *cancel;
};

struct canceller {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct entry *first, **last;
	unsigned waiting;
	bool started, over;
};

static void
clear(struct canceller *c)
{
	while (c->first != NULL) {
		struct entry *e = c->first;

		c->first = e->next;
		PQfreeCancel(e->cancel);
		free(e);
	}
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->some);
	free(c);
}

/* NULL: it is over. */
static struct entry *
take(struct canceller *c)
{
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	while (c->first == NULL && !c->over)
		pthread_cond_wait(&c->some, &c->lock);
	e = c->over ? NULL : c->first;
	if (e != NULL) {
		c->first = e->next;
		if (c->first == NULL)
			c->last = &c->first;
		c->waiting--;
	}
	pthread_mutex_unlock(&c->lock);
	return e;
}

static void *
work(void *arg)
{
	struct canceller *c = arg;
	struct entry *e;
	char why[256];

	while ((e = take(c)) != NULL) {
		(void)PQcancel(e->cancel, why, sizeof(why));
		PQfreeCancel(e->cancel);
		free(e);
	}
	clear(c);
	return NULL;
}

struct canceller *
canceller_new(void)
{
	struct canceller *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->some, NULL);
	c->last = &c->first;
	return c;
}

void
canceller_ask(struct canceller *c, PGcancel *cancel)
{
	struct entry *e = cancel == NULL ? NULL : malloc(sizeof(*e));
	bool taken = false;

	pthread_mutex_lock(&c->lock);
	if (!c->started)
		c->started = thread_start_detached(0, work, c);
	if (e != NULL && c->started && c->waiting < WAITING_MAX) {
		*e = (struct entry){.cancel = cancel};
		*c->last = e;
		c->last = &e->next;
		c->waiting++;
		taken = true;
		pthread_cond_signal(&c->some);
	}
	pthread_mutex_unlock(&c->lock);
	if (taken)
		return;
	free(e);
	PQfreeCancel(cancel);
}

void
canceller_free(struct canceller *c)
{
	bool started;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->over = true;
	started = c->started;
	pthread_cond_signal(&c->some);
	pthread_mutex_unlock(&c->lock);
	if (!started)
		clear(c);
}
