/* asks.c - the table of requests, their lanes, and the mail. */

#include <sys/eventfd.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web/asks.h"
#include "web/kore_api.h"
#include "web/lease.h"
#include "web/log.h"

#define TICK_MS	    250
#define POLL_TICKS  1200 /* 5 minutes: notes that went astray */
#define BUCKETS_MIN 256u

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	pthread_mutex_t mutex;
	struct host_request *posted, **posted_end; /* with news */
	/* The event loop's: */
	struct host_request **buckets; /* by execution */
	size_t bucket_count, count;
	unsigned ticks;
} asks = {
    .fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER, .posted_end = &asks.posted};

static struct lane *const lanes[] = {
    &lane_signals, &lane_waits_end, &lane_children, &lane_children_cancel};
#define LANES (sizeof(lanes) / sizeof(lanes[0]))

/* --- the arena's thread --------------------------------------------------- */

static void
tell(void *ctx, struct host_request *r, unsigned news)
{
	uint64_t one = 1;
	bool first = false;

	(void)ctx;
	pthread_mutex_lock(&asks.mutex);
	if (r->news == 0) {
		host_hold(r);
		first = asks.posted == NULL;
		r->posted = NULL;
		*asks.posted_end = r;
		asks.posted_end = &r->posted;
	}
	r->news |= news;
	pthread_mutex_unlock(&asks.mutex);
	/* A full counter wakes the loop as well. */
	if (first && write(asks.fd, &one, sizeof(one)) != sizeof(one))
		return;
}

struct host_source
asks_source(void)
{
	return (struct host_source){.tell = tell};
}

/* --- the table: requests by execution ------------------------------------- */

static size_t
place_of(const struct uuid *execution, size_t buckets)
{
	uint64_t n;

	memcpy(&n, execution->bytes + 4, sizeof(n));
	return (size_t)((n * UINT64_C(0x9e3779b97f4a7c15)) >> 32) &
	       (buckets - 1);
}

static bool
table_grow(void)
{
	size_t count =
	    asks.bucket_count == 0 ? BUCKETS_MIN : asks.bucket_count * 2;
	struct host_request **buckets =
	    calloc(count, sizeof(struct host_request *));
	size_t i;

	if (buckets == NULL)
		return asks.bucket_count > 0;
	for (i = 0; i < asks.bucket_count; i++)
		for (struct host_request *r = asks.buckets[i], *next; r != NULL;
		     r = next) {
			size_t to = place_of(&r->execution, count);

			next = r->chain;
			r->chain = buckets[to];
			buckets[to] = r;
		}
	free(asks.buckets);
	asks.buckets = buckets;
	asks.bucket_count = count;
	return true;
}

static bool
table_add(struct host_request *r)
{
	struct host_request **bucket;

	if (asks.count >= asks.bucket_count && !table_grow())
		return false;
	bucket = &asks.buckets[place_of(&r->execution, asks.bucket_count)];
	r->chain = *bucket;
	*bucket = r;
	asks.count++;
	host_hold(r);
	return true;
}

static void
table_remove(struct host_request *r)
{
	struct host_request **p =
	    &asks.buckets[place_of(&r->execution, asks.bucket_count)];

	while (*p != r)
		p = &(*p)->chain;
	*p = r->chain;
	asks.count--;
	host_release(r);
}

/* --- lanes ---------------------------------------------------------------- */

void
lane_create(struct lane *l)
{
	mem_create(&l->mem, 0);
	l->queue_end = &l->queue;
	l->limit = LANE_MAX;
}

void
lane_push(struct lane *l, struct host_request *r)
{
	r->state |= ASK_QUEUED;
	r->queued = NULL;
	*l->queue_end = r;
	l->queue_end = &r->queued;
}

static struct lane *
lane_of(const struct host_request *r, bool closing)
{
	if (r->kind == HOST_CHILD)
		return closing ? &lane_children_cancel : &lane_children;
	return closing ? &lane_waits_end : &lane_signals;
}

static void
again(struct host_request *r)
{
	if (r->state & (ASK_ANSWERED | ASK_STOPPED | ASK_DROPPED | ASK_QUEUED))
		return;
	if (r->state & ASK_SENT)
		r->state |= ASK_AGAIN;
	else if ((r->state & ASK_LATER) == 0)
		lane_push(lane_of(r, false), r);
}

/* Nobody waits for it any more and no statement has it. */
static void
leave(struct host_request *r)
{
	if (r->state & ASK_DROPPED)
		table_remove(r);
	else
		lane_push(lane_of(r, true), r);
}

/* A batch is done with it. */
static void
settle(const struct lane *l, struct host_request *r)
{
	bool was_asked_again = r->state & ASK_AGAIN;

	r->state &= ~(unsigned)(ASK_SENT | ASK_AGAIN);
	if (l->closing || (r->state & ASK_ANSWERED))
		table_remove(r);
	else if (r->state & (ASK_STOPPED | ASK_DROPPED))
		leave(r);
	else if (was_asked_again)
		again(r);
}

static struct host_request *
lane_pop(struct lane *l)
{
	struct host_request *r = l->queue;

	l->queue = r->queued;
	if (l->queue == NULL)
		l->queue_end = &l->queue;
	r->state &= ~(unsigned)ASK_QUEUED;
	return r;
}

static unsigned
take_batch(struct lane *l)
{
	while (l->queue != NULL && l->count < l->limit) {
		struct host_request *r = lane_pop(l);

		if (!l->closing && (r->state & (ASK_STOPPED | ASK_DROPPED))) {
			leave(r);
			continue;
		}
		r->state |= ASK_SENT;
		l->batch[l->count++] = r;
	}
	return l->count;
}

static void
send_all(void)
{
	unsigned i;

	for (i = 0; i < LANES; i++)
		lane_send(lanes[i]);
}

static void
settle_batch(struct lane *l)
{
	unsigned i, n = l->count;

	l->count = 0;
	for (i = 0; i < n; i++)
		settle(l, l->batch[i]);
	send_all();
}

/* In halves, down to the one at fault. */
static void
refused(struct lane *l)
{
	unsigned i;

	if (l->count == 1 && !l->closing) {
		ask_fail(l->batch[0], false, "refused",
		    "The database refuses what this node asks for.");
	} else {
		l->limit = (l->count + 1) / 2;
		for (i = 0; i < l->count; i++)
			l->batch[i]->state |= ASK_AGAIN;
	}
	settle_batch(l);
}

static void
answered(struct query *q)
{
	struct lane *l = q->arg;

	l->query.done = NULL;
	if (q->outcome == QUERY_ERROR && !lease_refused(q))
		log_error("%s: %s %s", l->name, q->sqlstate, q->message);
	if (q->outcome != QUERY_OK) {
		if (l->failed != NULL)
			l->failed(l, q->outcome == QUERY_LOST);
		query_clear(q);
		if (query_refused(q))
			refused(l);
		return; /* else the tick sends the batch again */
	}
	l->limit = LANE_MAX;
	if (l->take != NULL)
		l->take(l, (const struct sql_rows *)(const void *)q->result);
	query_clear(q);
	settle_batch(l);
}

void
lane_send(struct lane *l)
{
	if (l->query.done != NULL || lease_epoch() == 0 || take_batch(l) == 0)
		return;
	mem_reset(&l->mem);
	memset(&l->params, 0, sizeof(l->params));
	l->params.mem = &l->mem;
	l->put(l);
	l->query.sql = l->sql;
	l->query.params = &l->params;
	l->query.done = answered;
	l->query.arg = l;
	if (!mem_failed(&l->mem) && query_submit(POOL_SYSTEM, &l->query) == 0)
		return;
	l->query.done = NULL; /* the tick sends it */
	if (l->failed != NULL)
		l->failed(l, false);
}

/* --- columns -------------------------------------------------------------- */

void
lane_column(struct lane *l, ask_text of)
{
	const char **items = mem_array(&l->mem, l->count, sizeof(*items));
	unsigned i;

	for (i = 0; i < l->count && items != NULL; i++)
		if ((items[i] = of(&l->mem, l->batch[i])) == NULL)
			return; /* mem tells */
	if (items != NULL)
		sql_text_array(&l->params, items, l->count);
}

void
lane_server(struct lane *l)
{
	sql_uuid(&l->params, &server.id);
	sql_int(&l->params, lease_epoch());
}

static const char *
uuid_text(struct mem *m, const struct uuid *id)
{
	char *text = mem_alloc(m, UUID_TEXT);

	if (text != NULL)
		uuid_format(id, text);
	return text;
}

const char *
ask_execution(struct mem *m, const struct host_request *r)
{
	return uuid_text(m, &r->execution);
}

const char *
ask_organization(struct mem *m, const struct host_request *r)
{
	return uuid_text(m, &r->organization);
}

const char *
ask_node(struct mem *m, const struct host_request *r)
{
	return mem_printf(m, "%u", r->node);
}

const char *
ask_element(struct mem *m, const struct host_request *r)
{
	return r->element == ELEMENT_NONE ? "-1"
					  : mem_printf(m, "%u", r->element);
}

const char *
ask_attempt(struct mem *m, const struct host_request *r)
{
	return mem_printf(m, "%u", (unsigned)r->attempt);
}

const char *
ask_node_name(struct mem *m, const struct host_request *r)
{
	(void)m;
	return r->node_name;
}

const char *
ask_name(struct mem *m, const struct host_request *r)
{
	(void)m;
	return r->name;
}

/* --- answers -------------------------------------------------------------- */

struct host_request *
lane_request(struct lane *l, const struct sql_rows *rows, int row)
{
	int64_t place = sql_get_int(rows, row, 0);

	if (place < 1 || place > l->count ||
	    (l->batch[place - 1]->state & ASK_ANSWERED))
		return NULL;
	return l->batch[place - 1];
}

void
ask_answer(struct host_request *r, const char *result, size_t len)
{
	r->state |= ASK_ANSWERED;
	host_answer(r, result, len);
}

void
ask_fail(struct host_request *r, bool retryable, const char *code,
    const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r->state |= ASK_ANSWERED;
	host_fail(r, retryable, code, text);
}

static void
again_of(const struct uuid *execution)
{
	struct host_request *r;

	if (asks.count == 0)
		return;
	r = asks.buckets[place_of(execution, asks.bucket_count)];
	for (; r != NULL; r = r->chain)
		if (uuid_equal(&r->execution, execution))
			again(r);
}

/* Its turn for a signal falls to the next one of its name. */
void
ask_overdue(struct host_request *r)
{
	r->state |= ASK_ANSWERED;
	host_overdue(r);
	again_of(&r->execution);
}

void
ask_later(struct host_request *r)
{
	struct lane *l = lane_of(r, false);

	r->state |= ASK_LATER;
	r->queued = l->later;
	l->later = r;
}

/* --- news, mail, ticks ---------------------------------------------------- */

static void
take_news(struct host_request *r, unsigned news)
{
	if (news & HOST_ASK) {
		if (!table_add(r)) {
			ask_fail(r, true, "out_of_memory", "Out of memory.");
			return;
		}
		lane_push(lane_of(r, false), r);
	}
	if (r->state & ASK_ANSWERED)
		return;
	if (news & HOST_DUE) {
		r->state |= ASK_DUE;
		again(r);
	}
	if ((news & (HOST_STOP | HOST_DROP)) == 0)
		return;
	r->state |= news & HOST_STOP ? ASK_STOPPED : ASK_DROPPED;
	if ((r->state & (ASK_QUEUED | ASK_SENT | ASK_LATER)) == 0)
		leave(r);
}

/* The next request with news, and these; it is held. */
static struct host_request *
next_news(unsigned *news)
{
	struct host_request *r;

	pthread_mutex_lock(&asks.mutex);
	r = asks.posted;
	if (r != NULL) {
		asks.posted = r->posted;
		if (asks.posted == NULL)
			asks.posted_end = &asks.posted;
		*news = r->news;
		r->news = 0;
	}
	pthread_mutex_unlock(&asks.mutex);
	return r;
}

static void
readable(void *arg, int error)
{
	struct host_request *r;
	unsigned news;
	uint64_t n;

	(void)arg;
	(void)error;
	asks.event.flags = 0;
	if (read(asks.fd, &n, sizeof(n)) != sizeof(n))
		return;
	while ((r = next_news(&news)) != NULL) {
		take_news(r, news);
		host_release(r);
	}
	send_all();
}

static void
again_all(void)
{
	size_t i;

	for (i = 0; i < asks.bucket_count; i++)
		for (struct host_request *r = asks.buckets[i]; r != NULL;
		     r = r->chain)
			again(r);
}

static void
take_later(struct lane *l)
{
	struct host_request *r = l->later;

	l->later = NULL;
	while (r != NULL) {
		struct host_request *next = r->queued;

		r->state &= ~(unsigned)ASK_LATER;
		lane_push(l, r);
		r = next;
	}
}

static void
tick(void *arg, u_int64_t now)
{
	unsigned i;

	(void)arg;
	(void)now;
	for (i = 0; i < LANES; i++)
		take_later(lanes[i]);
	if (++asks.ticks % POLL_TICKS == 0)
		again_all();
	send_all();
}

/* NOTIFY open_mail: an execution; NULL: some may have been missed. */
static void
mail(const char *payload)
{
	struct uuid execution;

	if (payload == NULL)
		again_all();
	else if (uuid_parse(payload, strlen(payload), &execution))
		again_of(&execution);
	send_all();
}

int
asks_init(void)
{
	asks.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return asks.fd == -1 ? -1 : 0;
}

void
asks_start(void)
{
	unsigned i;

	for (i = 0; i < LANES; i++)
		lane_create(lanes[i]);
	asks.event.type = KORE_TYPE_TASK;
	asks.event.handle = readable;
	kore_platform_event_schedule(asks.fd, EPOLLIN, 0, &asks);
	kore_timer_add(tick, TICK_MS, NULL, 0);
	database_listen("open_mail", mail);
	children_start();
}
