/* http_driver.c - transfers in turns, and the events that drive curl.
 *
 *   start → waits for its turn → host's addresses → curl → outcome
 *                                       ▲             │
 *                                       └── redirect ─┘
 *
 * One epoll descriptor holds all sockets, so nothing is scanned: an event says
 * which pool's curl to call. Whatever curl calls back only takes note.
 */
#include "exec/http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/http_client.h"

#define EVENTS	    64	/* of sockets, before other work's turn */
#define DUE	    256 /* timers, likewise */
#define NAMES_EVENT UINT32_MAX

/* --- a transfer in curl --------------------------------------------------- */

void
transfer_run(struct transfer *t, const char *addresses)
{
	t->stage = HTTP_RUNNING;
	if (transfer_setup(t, addresses) != 0) {
		t->stage = HTTP_NAMING;
		transfer_finish(t);
		return;
	}
	if (curl_multi_add_handle(t->pool->multi, t->easy) == CURLM_OK)
		return;
	op_call_fail(t->call, true, "out_of_memory", "Out of memory.");
	transfer_finish(t);
}

static bool
is_address(const char *host)
{
	struct in_addr a;

	return strchr(host, ':') != NULL || inet_pton(AF_INET, host, &a) == 1;
}

/* The next hop of a transfer that has its turn. */
static void
hop(struct transfer *t)
{
	const char *addresses = NULL;

	t->stage = HTTP_NAMING;
	if (is_address(t->request.host)) {
		transfer_run(t, NULL);
		return;
	}
	switch (host_find(t, &addresses)) {
	case HOST_KNOWN:
		transfer_run(t, addresses);
		break;
	case HOST_REFUSED:
		op_call_fail(t->call, true, "out_of_memory",
		    "There are too many host names to look up.");
		transfer_finish(t);
		break;
	case HOST_ASKED:
		break;
	}
}

/* --- turns ---------------------------------------------------------------- */

static bool
has_turn(const struct pool *p)
{
	unsigned all = p->client->settings.concurrency;

	return p->client->active < all && p->active < all - all / 4;
}

static void
begin(struct transfer *t)
{
	struct http_client *c = t->client;

	c->active++;
	t->pool->active++;
	t->stage = HTTP_NAMING;
	if (timer_arm(&c->timers, &t->timer,
		clock_mono_ns() + t->request.timeout_ns) != 0) {
		op_call_fail(t->call, true, "out_of_memory", "Out of memory.");
		transfer_finish(t);
		return;
	}
	hop(t);
}

static void
queue_add(struct transfer *t)
{
	struct pool *p = t->pool;
	struct http_client *c = t->client;

	t->stage = HTTP_WAITING;
	t->next = NULL;
	t->prev = p->queue_last;
	if (p->queue_last != NULL)
		p->queue_last->next = t;
	else
		p->queue = t;
	p->queue_last = t;
	if (p->waiting)
		return;
	p->waiting = true;
	p->waiting_next = NULL;
	*c->waiting_end = p;
	c->waiting_end = &p->waiting_next;
}

static void
queue_remove(struct transfer *t)
{
	struct pool *p = t->pool;

	if (p->queue_last == t)
		p->queue_last = t->prev;
	transfer_list_remove(&p->queue, t);
}

static struct pool *
waiting_take(struct http_client *c, struct pool **link)
{
	struct pool *p = *link;

	*link = p->waiting_next;
	if (*link == NULL)
		c->waiting_end = link;
	p->waiting = false;
	return p;
}

/* One of each pool that may, in turns. */
static void
next_turns(struct http_client *c)
{
	struct pool **link = &c->waiting;

	while (*link != NULL && c->active < c->settings.concurrency) {
		struct pool *p = *link;
		struct transfer *t = p->queue;

		if (t != NULL && !has_turn(p)) {
			link = &p->waiting_next;
			continue;
		}
		waiting_take(c, link);
		if (t == NULL) {
			pool_rest(p);
			continue;
		}
		queue_remove(t);
		if (p->queue != NULL) { /* behind the others */
			p->waiting = true;
			p->waiting_next = NULL;
			*c->waiting_end = p;
			c->waiting_end = &p->waiting_next;
		}
		begin(t);
		link = &c->waiting;
	}
}

/* Out of everything, and back to the arena. */
void
transfer_finish(struct transfer *t)
{
	struct http_client *c = t->client;
	struct op_call *call = t->call;
	struct pool *p = t->pool;

	timer_cancel(&c->timers, &t->timer);
	host_leave(t);
	if (t->stage == HTTP_WAITING) {
		queue_remove(t);
	} else {
		c->active--;
		p->active--;
	}
	if (t->stage == HTTP_RUNNING)
		curl_multi_remove_handle(p->multi, t->easy);
	transfer_clear(t);
	if (!p->waiting)
		pool_rest(p);
	call->driver = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	c->done(c->ctx, call);
}

/* --- events --------------------------------------------------------------- */

static void
concluded(struct transfer *t, CURLcode rc)
{
	enum http_step step = transfer_conclude(t, rc);

	if (step == HTTP_STEP_ENDED) {
		transfer_finish(t);
		return;
	}
	curl_multi_remove_handle(t->pool->multi, t->easy);
	hop(t);
}

/* What curl is done with. A pool may go with its last transfer, so it is looked
 * for again each time. */
static void
collect(struct http_client *c, uint32_t index)
{
	while (c->pools[index] != NULL) {
		struct pool *p = c->pools[index];
		struct transfer *t;
		CURLMsg *message;
		int left;

		message = curl_multi_info_read(p->multi, &left);
		if (message == NULL)
			return;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		concluded(t, message->data.result);
	}
}

static void
act(struct http_client *c, uint32_t index, curl_socket_t fd, int flags)
{
	int running;

	if (index >= c->pool_cap || c->pools[index] == NULL)
		return; /* it went within this batch of events */
	curl_multi_socket_action(c->pools[index]->multi, fd, flags, &running);
	collect(c, index);
}

static void
take_events(struct http_client *c)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(c->fd, events, EVENTS, 0);

	for (int i = 0; i < count; i++) {
		uint32_t index = (uint32_t)(events[i].data.u64 >> 32);
		int flags = 0;

		if (index == NAMES_EVENT) {
			hosts_take(c);
			continue;
		}
		if (events[i].events & EPOLLIN)
			flags |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			flags |= CURL_CSELECT_OUT;
		if (events[i].events & (EPOLLERR | EPOLLHUP))
			flags |= CURL_CSELECT_ERR;
		act(c, index, (int)(uint32_t)events[i].data.u64, flags);
	}
}

static void
overdue(struct transfer *t)
{
	char text[DURATION_TEXT];

	duration_format(t->request.timeout_ns, text, sizeof(text));
	op_call_fail(t->call, true, "timeout",
	    "There was no whole answer of %s within %s.", t->request.host,
	    text);
	transfer_finish(t);
}

static void
take_timers(struct http_client *c)
{
	int64_t now = clock_mono_ns();
	struct timer *timer;

	for (unsigned i = 0; i < DUE; i++) {
		struct pool *p;

		timer = timers_pop(&c->timers, now);
		if (timer == NULL)
			break;
		if (timer->kind == HTTP_TIMER_TRANSFER) {
			overdue((void *)((char *)timer -
					 offsetof(struct transfer, timer)));
			continue;
		}
		p = (void *)((char *)timer - offsetof(struct pool, timer));
		act(c, p->index, CURL_SOCKET_TIMEOUT, 0);
	}
	while (c->idle != NULL && c->idle->idle_until <= now)
		pool_free(c->idle);
}

/* --- the driver ----------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void http_destroy(void *);

static void *
http_create(const struct exec_settings *settings, io_done done, void *ctx,
    struct err *e)
{
	struct http_client *c = calloc(1, sizeof(*c));
	struct epoll_event event = {
	    .events = EPOLLIN, .data.u64 = (uint64_t)NAMES_EVENT << 32};

	if (c == NULL)
		return err_memory(e), NULL;
	pthread_once(&once, init_curl);
	c->settings = settings->http;
	c->done = done;
	c->ctx = ctx;
	c->waiting_end = &c->waiting;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	c->names = names_new();
	if (c->fd < 0 || c->names == NULL ||
	    epoll_ctl(c->fd, EPOLL_CTL_ADD, names_fd(c->names), &event) != 0) {
		err_set(e, "no_descriptor",
		    "There are no descriptors left for requests.");
		http_destroy(c);
		return NULL;
	}
	return c;
}

static int
http_fd(const void *driver)
{
	return ((const struct http_client *)driver)->fd;
}

static int64_t
http_due_ns(const void *driver)
{
	const struct http_client *c = driver;
	int64_t due = timers_next(&c->timers);

	if (c->idle != NULL && c->idle->idle_until < due)
		due = c->idle->idle_until;
	return due;
}

static void
http_ready(void *driver)
{
	struct http_client *c = driver;

	take_events(c);
	take_timers(c);
	next_turns(c);
}

static bool
read_call(struct http_client *c, struct op_call *call, struct transfer *t)
{
	struct err e = {0};

	if (http_request_read(&t->request, &call->mem, call->params, &e) != 0)
		op_call_fail(call, strcmp(e.code, "out_of_memory") == 0,
		    strcmp(e.code, "out_of_memory") == 0 ? "out_of_memory"
							 : "invalid_parameter",
		    "%s", e.message);
	else if ((t->pool = pool_get(c, &call->scope)) == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		return true;
	return false;
}

static void
http_start(void *driver, struct op_call *call)
{
	struct http_client *c = driver;
	struct transfer *t = mem_alloc(&call->mem, sizeof(*t));

	if (t == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	if (t == NULL || !read_call(c, call, t)) {
		c->done(c->ctx, call);
		return;
	}
	t->timer.kind = HTTP_TIMER_TRANSFER;
	t->client = c;
	t->call = call;
	buf_create(&t->head, 0);
	buf_create(&t->body, 0);
	call->driver = t;
	if (t->pool->queue == NULL && has_turn(t->pool))
		begin(t);
	else
		queue_add(t);
}

static void
http_stop(void *driver, struct op_call *call)
{
	struct http_client *c = driver;

	atomic_store(&call->stop, true);
	if (call->driver == NULL)
		return; /* it is on its way back */
	transfer_finish(call->driver);
	next_turns(c);
}

static void
stop_pool(struct http_client *c, struct pool *p)
{
	(void)c;
	while (p->queue != NULL) {
		atomic_store(&p->queue->call->stop, true);
		transfer_finish(p->queue);
	}
}

static void
stop_all(struct http_client *c)
{
	for (uint32_t i = 0; i < c->pool_cap; i++)
		if (c->pools[i] != NULL)
			stop_pool(c, c->pools[i]);
	while (c->timers.count > 0) {
		struct timer *timer = c->timers.heap[0].timer;
		struct transfer *t =
		    (void *)((char *)timer - offsetof(struct transfer, timer));

		if (timer->kind == HTTP_TIMER_POOL) {
			timer_cancel(&c->timers, timer);
			continue;
		}
		atomic_store(&t->call->stop, true);
		transfer_finish(t);
	}
	for (uint32_t i = 0; i < c->pool_cap; i++)
		if (c->pools[i] != NULL)
			pool_free(c->pools[i]);
}

static void
http_destroy(void *driver)
{
	struct http_client *c = driver;

	stop_all(c);
	hosts_free(c);
	names_free(c->names);
	if (c->fd >= 0)
		close(c->fd);
	X509_STORE_free(c->store);
	timers_free(&c->timers);
	free(c->pools);
	free(c);
}

const struct io_class http_io = {.create = http_create,
    .fd = http_fd,
    .due_ns = http_due_ns,
    .ready = http_ready,
    .start = http_start,
    .stop = http_stop,
    .destroy = http_destroy};
