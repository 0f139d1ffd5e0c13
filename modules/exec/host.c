/* host.c - the driver of ops wait_for and dag: requests to the host, deadlines,
 * and answers that become outcomes.
 *
 * A deadline is no answer: at it the host is asked a last time (HOST_DUE), since
 * only the database knows whether something came before. Where only a time is
 * waited for, there is nothing to ask.
 */
#include "exec/host.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/host_request.h"
#include "exec/ops/ops.h"
#include "exec/timer.h"

#define INLINE_BYTES 8192 /* of an answer: more is a compute thread's work */
#define DUE	     1024 /* deadlines, before other work's turn */
#define STEP_NS	     INT64_C(50000000)	      /* of the clock, that counts */
#define FAR_US	     INT64_C(100000000000000) /* three years */

struct waiting { /* call->driver */
	struct timer timer;
	struct op_call *call;
	struct host_request *request; /* NULL: only a time */
	int64_t until_us, until_ns; /* UTC, CLOCK_MONOTONIC; INT64_MAX: none */
	const struct json *fallback;
	struct waiting *prev, *next;
};

struct host_driver {
	const struct exec_settings *settings;
	io_done done;
	void *ctx;
	struct host_inbox *inbox;
	struct timers timers;
	struct waiting *list;
	unsigned dated;	 /* those with a time of the clock */
	int64_t skew_ns; /* between the two clocks, when timers were armed */
};

struct long_answer { /* call->rest */
	char *text;
	size_t len, limit;
};

static void
tell(struct host_driver *d, struct host_request *r, unsigned news)
{
	const struct host_source *s = &d->settings->host;

	s->tell(s->ctx, r, news);
}

/* --- waiting calls -------------------------------------------------------- */

static struct waiting *
waiting_of(struct timer *t)
{
	return (void *)((char *)t - offsetof(struct waiting, timer));
}

static void
list_add(struct host_driver *d, struct waiting *w)
{
	w->next = d->list;
	if (d->list != NULL)
		d->list->prev = w;
	d->list = w;
	d->dated += w->until_us != INT64_MAX;
}

static void
list_remove(struct host_driver *d, struct waiting *w)
{
	if (w->next != NULL)
		w->next->prev = w->prev;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		d->list = w->next;
	d->dated -= w->until_us != INT64_MAX;
}

/* Back to the arena, with the outcome that is there. */
static void
waiting_end(struct host_driver *d, struct waiting *w)
{
	struct op_call *call = w->call;

	timer_cancel(&d->timers, &w->timer);
	list_remove(d, w);
	if (w->request != NULL) {
		w->request->call = NULL;
		host_release(w->request);
	}
	call->driver = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	d->done(d->ctx, call);
}

static void
waiting_stop(struct host_driver *d, struct waiting *w, unsigned news)
{
	atomic_store(&w->call->stop, true);
	if (w->request != NULL) {
		w->request->call = NULL;
		tell(d, w->request, news);
	}
	waiting_end(d, w);
}

/* --- deadlines ------------------------------------------------------------ */

static int64_t
skew(void)
{
	return clock_real_us() * 1000 - clock_mono_ns();
}

/* When its time is over, on the monotonic clock; INT64_MAX: never. */
static int64_t
due_at(const struct waiting *w)
{
	int64_t now_us = clock_real_us(), left, dated;

	if (w->until_us == INT64_MAX)
		return w->until_ns;
	left = w->until_us < now_us ? 0 : w->until_us - now_us;
	dated = clock_mono_ns() + (left < FAR_US ? left : FAR_US) * 1000;
	return dated < w->until_ns ? dated : w->until_ns;
}

static bool
is_due(const struct waiting *w)
{
	return clock_real_us() >= w->until_us || clock_mono_ns() >= w->until_ns;
}

/* The deadline on the database's clock. */
static int64_t
until_real(const struct waiting *w)
{
	int64_t other;

	if (w->until_ns == INT64_MAX)
		return w->until_us;
	other = clock_real_us() + (w->until_ns - clock_mono_ns()) / 1000;
	return other < w->until_us ? other : w->until_us;
}

static void
time_is_over(struct host_driver *d, struct waiting *w)
{
	char text[TIME_TEXT];

	time_format(w->until_us, text);
	op_call_result(w->call, json_string(&w->call->mem, text, strlen(text)),
	    d->settings->compute.result_bytes);
	waiting_end(d, w);
}

static void
passed(struct host_driver *d, struct waiting *w)
{
	if (w->request != NULL)
		tell(d, w->request, HOST_DUE);
	else
		time_is_over(d, w);
}

/* False: it is over already, or there is no memory. */
static void
wait_on(struct host_driver *d, struct waiting *w)
{
	int64_t due = due_at(w);

	if (is_due(w)) {
		passed(d, w);
	} else if (due != INT64_MAX &&
		   timer_arm(&d->timers, &w->timer, due) != 0) {
		if (w->request != NULL) {
			w->request->call = NULL;
			tell(d, w->request, HOST_STOP);
		}
		op_call_fail(w->call, true, "out_of_memory",
		    "There is no memory for one more timer.");
		waiting_end(d, w);
	}
}

static void
take_timers(struct host_driver *d)
{
	int64_t now = clock_mono_ns();
	struct timer *t;

	for (unsigned i = 0; i < DUE; i++) {
		if ((t = timers_pop(&d->timers, now)) == NULL)
			return;
		wait_on(d, waiting_of(t));
	}
}

/* Someone set the clock: what waits for a time of it waits anew. */
static bool
has_stepped(const struct host_driver *d)
{
	int64_t by = skew() - d->skew_ns;

	return d->dated > 0 && (by > STEP_NS || by < -STEP_NS);
}

static void
take_step(struct host_driver *d)
{
	if (!has_stepped(d))
		return;
	d->skew_ns = skew();
	for (struct waiting *w = d->list, *next; w != NULL; w = next) {
		next = w->next;
		if (w->until_us != INT64_MAX && w->timer.at != 0) {
			timer_cancel(&d->timers, &w->timer);
			wait_on(d, w);
		}
	}
}

/* --- answers -------------------------------------------------------------- */

static void
result_from(struct op_call *call, const char *text, size_t len, size_t limit)
{
	const struct json *v;
	struct err e = {0};

	if (json_parse(&call->mem, text, len, NULL, &v, &e) != 0)
		op_call_fail(call, strcmp(e.code, "out_of_memory") == 0,
		    strcmp(e.code, "out_of_memory") == 0 ? "out_of_memory"
							 : "invalid_result",
		    "%s", e.message);
	else
		op_call_result(call, v, limit);
}

void
host_result(struct op_call *call)
{
	struct long_answer *a = call->rest;

	call->rest = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	else
		result_from(call, a->text, a->len, a->limit);
	free(a->text);
}

/* A long one is taken out of the request, for a compute thread. */
static void
take_result(struct host_driver *d, struct op_call *call, struct host_request *r)
{
	size_t limit = d->settings->compute.result_bytes;
	struct long_answer *a;

	if (r->text_len == 0) {
		op_call_result(call, NULL, limit);
	} else if (r->text_len <= INLINE_BYTES) {
		result_from(call, r->text, r->text_len, limit);
	} else if ((a = mem_alloc(&call->mem, sizeof(*a))) == NULL) {
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	} else {
		*a = (struct long_answer){r->text, r->text_len, limit};
		r->text = NULL;
		call->rest = a;
	}
}

static const struct json *
fallback_result(struct mem *m, const char *signal, const struct json *value)
{
	static const char *const names[] = {"by", "sent_at", "signal", "value"};
	struct json *o = json_object(m, 4);
	const struct json *values[] = {json_null(m), json_null(m),
	    json_string(m, signal, strlen(signal)), value};

	for (unsigned i = 0; i < 4; i++) {
		if (o == NULL || values[i] == NULL)
			return NULL;
		o->members[i].name = names[i];
		o->members[i].name_len = (uint32_t)strlen(names[i]);
		o->members[i].value = values[i];
	}
	return o;
}

static void
take_overdue(struct host_driver *d, struct waiting *w)
{
	struct op_call *call = w->call;
	const char *signal = w->request->name;
	const struct json *v;

	if (w->fallback == NULL)
		op_call_fail(call, false, "signal_timeout",
		    "The signal \"%s\" did not come in time.", signal);
	else if ((v = fallback_result(&call->mem, signal, w->fallback)) == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		op_call_result(call, v, d->settings->compute.result_bytes);
}

static void
take_answer(struct host_driver *d, struct host_request *r)
{
	struct op_call *call = r->call;

	if (call == NULL)
		return; /* it was stopped meanwhile */
	if (r->outcome == HOST_OVERDUE)
		take_overdue(d, call->driver);
	else if (r->text == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else if (r->outcome == HOST_FAILED)
		op_call_fail(call, r->retryable, r->code, "%s", r->text);
	else
		take_result(d, call, r);
	waiting_end(d, call->driver);
}

static void
take_answers(struct host_driver *d)
{
	struct host_request *r;
	uint64_t n;

	if (read(host_inbox_fd(d->inbox), &n, sizeof(n)) < 0)
		return;
	r = host_inbox_take(d->inbox, false);
	while (r != NULL) {
		struct host_request *next = r->next;

		take_answer(d, r);
		host_release(r);
		r = next;
	}
}

/* --- the driver ----------------------------------------------------------- */

static void *
host_create(const struct exec_settings *settings, io_done done, void *ctx,
    struct err *e)
{
	struct host_driver *d = mem_heap(sizeof(*d));

	if (d == NULL)
		return err_memory(e), NULL;
	*d = (struct host_driver){.settings = settings,
	    .done = done,
	    .ctx = ctx,
	    .inbox = host_inbox_new(),
	    .skew_ns = skew()};
	if (d->inbox != NULL)
		return d;
	free(d);
	err_memory(e);
	return NULL;
}

static int
host_fd(const void *driver)
{
	return host_inbox_fd(((const struct host_driver *)driver)->inbox);
}

static int64_t
host_due_ns(const void *driver)
{
	const struct host_driver *d = driver;

	return has_stepped(d) ? 0 : timers_next(&d->timers);
}

static void
host_ready(void *driver)
{
	struct host_driver *d = driver;

	take_answers(d);
	take_step(d);
	take_timers(d);
}

static bool
read_params(struct host_driver *d, struct op_call *call, struct host_params *p)
{
	struct err e = {0};

	if ((call->op == &op_dag
		    ? child_read(call->params, false, p, &e)
		    : wait_for_read(call->params, false, p, &e)) != 0)
		op_call_fail(call, false, "invalid_parameter", "%s", e.message);
	else if (p->name != NULL && d->settings->host.tell == NULL)
		op_call_fail(call, false, "no_host",
		    "This server takes no signals and starts no other DAGs.");
	else
		return true;
	return false;
}

static struct waiting *
waiting_new(struct host_driver *d, struct op_call *call)
{
	struct waiting *w = mem_alloc(&call->mem, sizeof(*w));
	struct host_params p;

	if (w == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	if (w == NULL || !read_params(d, call, &p))
		return NULL;
	w->call = call;
	w->fallback = p.fallback;
	w->until_us = p.until_us;
	w->until_ns = p.timeout_ns == INT64_MAX
			  ? INT64_MAX
			  : call->started_ns + p.timeout_ns;
	if (p.name == NULL)
		return w;
	w->request = host_request_new(call, &p, d->inbox);
	if (w->request != NULL) {
		w->request->call = call;
		w->request->until_us = until_real(w);
		return w;
	}
	op_call_fail(call, true, "out_of_memory", "Out of memory.");
	return NULL;
}

static void
host_start(void *driver, struct op_call *call)
{
	struct host_driver *d = driver;
	struct waiting *w = waiting_new(d, call);

	if (w == NULL) {
		d->done(d->ctx, call);
		return;
	}
	call->driver = w;
	if (d->dated == 0)
		d->skew_ns = skew();
	list_add(d, w);
	if (w->request != NULL)
		tell(d, w->request, HOST_ASK);
	wait_on(d, w);
}

static void
host_stop(void *driver, struct op_call *call)
{
	atomic_store(&call->stop, true);
	if (call->driver != NULL) /* else it is on its way back */
		waiting_stop(driver, call->driver, HOST_STOP);
}

static void
host_destroy(void *driver)
{
	struct host_driver *d = driver;
	struct host_request *r = host_inbox_take(d->inbox, true);

	while (d->list != NULL)
		waiting_stop(d, d->list, HOST_DROP);
	while (r != NULL) {
		struct host_request *next = r->next;

		host_release(r);
		r = next;
	}
	timers_free(&d->timers);
	host_inbox_release(d->inbox);
	free(d);
}

const struct io_class host_io = {.create = host_create,
    .fd = host_fd,
    .due_ns = host_due_ns,
    .ready = host_ready,
    .start = host_start,
    .stop = host_stop,
    .destroy = host_destroy};
