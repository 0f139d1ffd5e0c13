/* work.c - threads for what would hold up the event loop: parsing, hashing,
 * compiling.
 *
 * A flow that waits for its work may lose its client meanwhile; it is freed
 * when the work is done.
 */

#include <sys/eventfd.h>

#include <stdlib.h>
#include <unistd.h>

#include "web/log.h"
#include "web/request.h"

#define THREADS 2

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct flow *first, **last; /* to do */
	struct flow *done;
	unsigned pending; /* to do, or being done */
	pthread_cond_t idle;
	bool stop;
	unsigned threads;
	pthread_t thread[THREADS];
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
    .idle = PTHREAD_COND_INITIALIZER};

static void *
thread_main(void *arg)
{
	struct flow *f;
	uint64_t one = 1;

	(void)arg;
	pthread_mutex_lock(&pool.mutex);
	for (;;) {
		while (pool.first == NULL && !pool.stop)
			pthread_cond_wait(&pool.wake, &pool.mutex);
		if (pool.stop)
			break;
		f = pool.first;
		if ((pool.first = f->work.next) == NULL)
			pool.last = &pool.first;
		pthread_mutex_unlock(&pool.mutex);
		f->work.fn(f->state);
		pthread_mutex_lock(&pool.mutex);
		f->work.next = pool.done;
		pool.done = f;
		if (--pool.pending == 0)
			pthread_cond_broadcast(&pool.idle);
		if (write(pool.fd, &one, sizeof(one)) != sizeof(one))
			abort();
	}
	pthread_mutex_unlock(&pool.mutex);
	return NULL;
}

static void
finished(void *arg, int error)
{
	struct flow *f, *next;
	uint64_t n;

	(void)arg;
	(void)error;
	pool.event.flags = 0;
	if (read(pool.fd, &n, sizeof(n)) != sizeof(n))
		return;
	pthread_mutex_lock(&pool.mutex);
	f = pool.done;
	pool.done = NULL;
	pthread_mutex_unlock(&pool.mutex);
	for (; f != NULL; f = next) {
		next = f->work.next;
		f->work.running = false;
		if (f->req == NULL)
			flow_release(f);
		else if (!f->answered)
			flow_wake(f);
	}
}

/* The threads are made at the first work, on all CPUs. */
static int
threads_start(void)
{
	while (pool.threads < THREADS) {
		if (pthread_create(&pool.thread[pool.threads], NULL,
			thread_main, NULL) != 0)
			break;
		pool.threads++;
	}
	return pool.threads == 0 ? -1 : 0;
}

enum flow_next
flow_work(struct flow *f, void (*fn)(void *))
{
	if (pool.threads == 0 && threads_start() != 0) {
		log_error("no threads for work");
		return flow_fail(f, 503, "overloaded",
		    "The server has no thread for this; try again soon.");
	}
	f->work.fn = fn;
	f->work.running = true;
	f->work.next = NULL;
	pthread_mutex_lock(&pool.mutex);
	*pool.last = f;
	pool.last = &f->work.next;
	pool.pending++;
	pthread_cond_signal(&pool.wake);
	pthread_mutex_unlock(&pool.mutex);
	return flow_wait(f);
}

void
work_drain(void)
{
	pthread_mutex_lock(&pool.mutex);
	while (pool.pending > 0)
		pthread_cond_wait(&pool.idle, &pool.mutex);
	pthread_mutex_unlock(&pool.mutex);
}

int
work_init(void)
{
	pool.last = &pool.first;
	pool.event.type = KORE_TYPE_TASK;
	pool.event.handle = finished;
	if ((pool.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) == -1)
		return -1;
	kore_platform_event_schedule(pool.fd, EPOLLIN, 0, &pool);
	return 0;
}

void
work_stop(void)
{
	unsigned i;

	pthread_mutex_lock(&pool.mutex);
	pool.stop = true;
	pthread_cond_broadcast(&pool.wake);
	pthread_mutex_unlock(&pool.mutex);
	for (i = 0; i < pool.threads; i++)
		pthread_join(pool.thread[i], NULL);
	pool.threads = 0;
}
