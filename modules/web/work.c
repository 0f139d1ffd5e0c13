/* work.c - threads for what would hold up the event loop: parsing, hashing,
 * compiling.
 *
 * What is slow by design (passwords) has one thread of its own a worker, of low
 * priority: signing in never takes the CPU from other requests, and holds at
 * most 32 MiB a worker. Beyond QUEUE_MAX waiting ones are refused.
 *
 * A flow that waits for its work may lose its client meanwhile; it is freed
 * when the work is done.
 */

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <stdlib.h>
#include <unistd.h>

#include "web/log.h"
#include "web/request.h"

#define THREADS	  2
#define QUEUE_MAX 64
#define NICE	  15

struct line {
	unsigned wanted, most; /* threads; flows that wait, 0: any number */
	int nice;
	pthread_cond_t wake;
	struct flow *first, **last; /* to do */
	unsigned waiting, threads;
	pthread_t thread[THREADS];
};

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	pthread_mutex_t mutex;
	struct flow *done;
	unsigned pending; /* to do, or being done */
	pthread_cond_t idle;
	bool stop;
	struct line quick, slow;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER,
    .idle = PTHREAD_COND_INITIALIZER,
    .quick = {.wanted = THREADS, .wake = PTHREAD_COND_INITIALIZER},
    .slow = {.wanted = 1,
	.most = QUEUE_MAX,
	.nice = NICE,
	.wake = PTHREAD_COND_INITIALIZER}};

static void *
thread_main(void *arg)
{
	struct line *line = arg;
	struct flow *f;
	uint64_t one = 1;

	/* Of the thread alone, as Linux has it; without it all is slower. */
	if (line->nice != 0)
		(void)setpriority(PRIO_PROCESS, 0, line->nice);
	pthread_mutex_lock(&pool.mutex);
	for (;;) {
		while (line->first == NULL && !pool.stop)
			pthread_cond_wait(&line->wake, &pool.mutex);
		if (pool.stop)
			break;
		f = line->first;
		if ((line->first = f->work.next) == NULL)
			line->last = &line->first;
		line->waiting--;
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
threads_start(struct line *line)
{
	while (line->threads < line->wanted) {
		if (pthread_create(&line->thread[line->threads], NULL,
			thread_main, line) != 0)
			break;
		line->threads++;
	}
	return line->threads == 0 ? -1 : 0;
}

static bool
join(struct line *line, struct flow *f)
{
	bool room;

	f->work.next = NULL;
	pthread_mutex_lock(&pool.mutex);
	room = line->most == 0 || line->waiting < line->most;
	if (room) {
		*line->last = f;
		line->last = &f->work.next;
		line->waiting++;
		pool.pending++;
		pthread_cond_signal(&line->wake);
	}
	pthread_mutex_unlock(&pool.mutex);
	return room;
}

static enum flow_next
work(struct flow *f, struct line *line, void (*fn)(void *))
{
	if (line->threads == 0 && threads_start(line) != 0) {
		log_error("no threads for work");
		return flow_fail(f, 503, "overloaded",
		    "The server has no thread for this; try again soon.");
	}
	f->work.fn = fn;
	f->work.running = true;
	if (join(line, f))
		return flow_wait(f);
	f->work.running = false;
	return flow_fail(f, 503, "overloaded",
	    "Too many passwords wait to be looked at; try again soon.");
}

enum flow_next
flow_work(struct flow *f, void (*fn)(void *))
{
	return work(f, &pool.quick, fn);
}

enum flow_next
flow_hash(struct flow *f, void (*fn)(void *))
{
	return work(f, &pool.slow, fn);
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
	pool.quick.last = &pool.quick.first;
	pool.slow.last = &pool.slow.first;
	pool.event.type = KORE_TYPE_TASK;
	pool.event.handle = finished;
	if ((pool.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) == -1)
		return -1;
	kore_platform_event_schedule(pool.fd, EPOLLIN, 0, &pool);
	return 0;
}

static void
line_stop(struct line *line)
{
	for (unsigned i = 0; i < line->threads; i++)
		pthread_join(line->thread[i], NULL);
	line->threads = 0;
}

void
work_stop(void)
{
	pthread_mutex_lock(&pool.mutex);
	pool.stop = true;
	pthread_cond_broadcast(&pool.quick.wake);
	pthread_cond_broadcast(&pool.slow.wake);
	pthread_mutex_unlock(&pool.mutex);
	line_stop(&pool.quick);
	line_stop(&pool.slow);
}
