/* sql_driver.c - statements in turns, and the events that drive their
 * connections. One epoll descriptor holds all sockets. */
#include <openssl/sha.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/sql_client.h"

#define EVENTS	    64
#define DUE	    256
#define NAMES_EVENT UINT64_MAX

/* --- pools ---------------------------------------------------------------- */

static struct sql_pool *
pool_get(struct sql_client *c, const struct scope *scope, const char *text)
{
	unsigned char hash[SHA256_SIZE];
	struct sql_pool *p;

	SHA256((const unsigned char *)text, strlen(text), hash);
	for (p = c->pools; p != NULL; p = p->next)
		if (p->allowed == scope->allowed &&
		    uuid_equal(&p->organization, &scope->organization) &&
		    memcmp(p->hash, hash, sizeof(hash)) == 0)
			return p;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	memcpy(p->hash, hash, sizeof(hash));
	p->organization = scope->organization;
	p->allowed = scope->allowed;
	p->next = c->pools;
	c->pools = p;
	return p;
}

static void
queue_add(struct sql_pool *p, struct sql_work *w)
{
	w->next = NULL;
	w->prev = p->queue_last;
	if (p->queue_last != NULL)
		p->queue_last->next = w;
	else
		p->queue = w;
	p->queue_last = w;
}

static void
queue_remove(struct sql_pool *p, struct sql_work *w)
{
	if (w->next != NULL)
		w->next->prev = w->prev;
	else
		p->queue_last = w->prev;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		p->queue = w->next;
}

/* All are taken: an idle one of another pool goes. */
static bool
has_room(struct sql_client *c)
{
	if (c->count < c->settings.connections)
		return true;
	for (struct sql_pool *p = c->pools; p != NULL; p = p->next) {
		if (p->idle != NULL && p->queue == NULL) {
			sql_connection_close(c, p->idle, false);
			return true;
		}
	}
	return false;
}

void
sql_pool_next(struct sql_client *c, struct sql_pool *p)
{
	while (p->queue != NULL) {
		struct sql_work *w = p->queue;

		if (p->idle != NULL) {
			queue_remove(p, w);
			sql_connection_run(c, p->idle, w);
		} else if (p->count < c->settings.pool_connections &&
			   has_room(c)) {
			queue_remove(p, w);
			if (!sql_connection_open(c, p, w))
				sql_work_end(c, w);
		} else {
			return;
		}
	}
}

/* Every pool that may go on does; those that are empty go. */
static void
turns(struct sql_client *c)
{
	struct sql_pool **link = &c->pools;

	while (*link != NULL) {
		struct sql_pool *p = *link;

		sql_pool_next(c, p);
		if (p->count == 0 && p->queue == NULL) {
			*link = p->next;
			free(p);
		} else {
			link = &p->next;
		}
	}
}

/* --- statements ----------------------------------------------------------- */

void
sql_work_end(struct sql_client *c, struct sql_work *w)
{
	struct op_call *call = w->call;

	timer_cancel(&c->timers, &w->timer);
	call->driver = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	if (w->failed || atomic_load(&call->stop))
		buf_free(&w->answer.rows);
	else
		call->rest = &w->answer;
	c->done(c->ctx, call);
}

/* Its outcome is filled, or it is to stop. */
static void
drop(struct sql_client *c, struct sql_work *w)
{
	w->failed = true;
	if (w->connection != NULL)
		sql_connection_close(c, w->connection, true);
	else
		queue_remove(w->pool, w);
	sql_work_end(c, w);
}

static bool
read_values(struct sql_work *w, const struct json *list)
{
	struct op_call *call = w->call;
	const char **values;

	w->value_count = list == NULL ? 0 : (int)list->count;
	if (w->value_count == 0)
		return true;
	values = mem_array(&call->mem, (size_t)w->value_count, sizeof(*values));
	for (int i = 0; values != NULL && i < w->value_count; i++)
		values[i] = list->items[i]->type == JSON_NULL
				? NULL
				: op_param_text(call, list->items[i]);
	w->values = values;
	return values != NULL;
}

static int64_t
integer(const struct op_call *call, const char *name, int64_t otherwise)
{
	const struct json *v = json_get(call->params, name);
	int64_t n;

	return v != NULL && json_as_integer(v, &n) ? n : otherwise;
}

/* What is wrong with the values that templates gave, or NULL. */
static const char *
params_fault(struct op_call *call, struct sql_work *w, size_t limit)
{
	const struct json *statement = json_get(call->params, "statement");
	const struct json *values = json_get(call->params, "parameters");
	const struct json *timeout = json_get(call->params, "timeout");
	int64_t rows = integer(call, "max_rows", SQL_ROWS_DEFAULT);
	int64_t bytes = integer(call, "max_bytes", (int64_t)limit);

	if (statement == NULL || statement->type != JSON_STRING ||
	    statement->count > SQL_STATEMENT_MAX)
		return "statement must be a text, at most 1 MiB.";
	if (values != NULL &&
	    (values->type != JSON_ARRAY || values->count > SQL_PARAMETERS_MAX))
		return "parameters must be a list of at most 1000 values.";
	w->timeout_ns = SQL_TIMEOUT_DEFAULT;
	if (timeout != NULL &&
	    (timeout->type != JSON_STRING ||
		!duration_parse(
		    timeout->string, timeout->count, &w->timeout_ns) ||
		w->timeout_ns < 1 || w->timeout_ns > SQL_TIMEOUT_MAX))
		return "timeout must be a duration of at most 1h.";
	if (rows < 1 || rows > SQL_ROWS_MAX || bytes < 1)
		return "max_rows must be from 1 to 100000, max_bytes positive.";
	w->statement = statement->string;
	w->max_rows = (uint32_t)rows;
	w->max_bytes = bytes < (int64_t)limit ? (size_t)bytes : limit;
	return NULL;
}

/* False: the outcome is filled. */
static bool
read_call(struct sql_client *c, struct op_call *call, struct sql_work *w)
{
	const struct json *text = json_get(call->params, "connection");
	const char *fault = params_fault(call, w, c->settings.result_bytes);
	struct err e = {0};

	if (fault == NULL && (text == NULL || text->type != JSON_STRING))
		fault = "connection must be a text.";
	if (fault != NULL)
		op_call_fail(call, false, "invalid_parameter", "%s", fault);
	else if (sql_target_read(&w->target, &call->mem, text->string, &e) != 0)
		op_call_fail(
		    call, false, "invalid_connection", "%s", e.message);
	else if (!read_values(w, json_get(call->params, "parameters")) ||
		 (w->pool = pool_get(c, &call->scope, text->string)) == NULL ||
		 timer_arm(&c->timers, &w->timer,
		     clock_mono_ns() + w->timeout_ns) != 0)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		return true;
	return false;
}

static void
sql_start(void *driver, struct op_call *call)
{
	struct sql_client *c = driver;
	struct sql_work *w = mem_alloc(&call->mem, sizeof(*w));

	if (w != NULL)
		*w = (struct sql_work){
		    .timer = {.kind = SQL_TIMER_WORK}, .call = call};
	else
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	if (w == NULL || !read_call(c, call, w)) {
		c->done(c->ctx, call);
		return;
	}
	buf_create(&w->answer.rows, 0);
	w->answer.rows.wipe = call->mem.guarded;
	w->answer.limit = w->max_bytes;
	call->driver = w;
	queue_add(w->pool, w);
	sql_pool_next(c, w->pool);
}

static void
sql_stop(void *driver, struct op_call *call)
{
	struct sql_client *c = driver;

	atomic_store(&call->stop, true);
	if (call->driver == NULL)
		return; /* it is on its way back */
	drop(c, call->driver);
	turns(c);
}

/* --- events --------------------------------------------------------------- */

static struct sql_connection *
connection_of(struct sql_client *c, uint64_t data)
{
	uint32_t index = (uint32_t)(data >> 32);
	struct sql_connection *n;

	if (index >= c->settings.connections)
		return NULL;
	n = c->connections[index];
	return n != NULL && n->generation == (uint32_t)data ? n : NULL;
}

static void
take_names(struct sql_client *c)
{
	struct lookup *l = names_answers(c->names);

	while (l != NULL) {
		struct lookup *next = l->next;
		struct sql_connection *n =
		    connection_of(c, (uint64_t)(uintptr_t)l->ctx);

		if (n != NULL && n->lookup == l)
			sql_connection_named(c, n, l);
		lookup_free(l);
		l = next;
	}
}

static void
take_events(struct sql_client *c)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(c->fd, events, EVENTS, 0);

	for (int i = 0; i < count; i++) {
		struct sql_connection *n;

		if (events[i].data.u64 == NAMES_EVENT)
			take_names(c);
		else if ((n = connection_of(c, events[i].data.u64)) != NULL)
			sql_connection_ready(c, n);
	}
}

static void
overdue(struct sql_client *c, struct sql_work *w)
{
	char text[DURATION_TEXT];

	duration_format(w->timeout_ns, text, sizeof(text));
	op_call_fail(w->call, true, "timeout",
	    "The statement took longer than its timeout of %s.", text);
	drop(c, w);
}

static void
take_timers(struct sql_client *c)
{
	int64_t now = clock_mono_ns();

	for (unsigned i = 0; i < DUE; i++) {
		struct timer *t = timers_pop(&c->timers, now);

		if (t == NULL)
			return;
		if (t->kind == SQL_TIMER_WORK)
			overdue(c, (void *)((char *)t -
					    offsetof(struct sql_work, timer)));
		else
			sql_connection_close(c,
			    (void *)((char *)t -
				     offsetof(struct sql_connection, timer)),
			    false);
	}
}

/* --- the driver ----------------------------------------------------------- */

static void
sql_destroy(void *driver)
{
	struct sql_client *c = driver;

	for (struct sql_pool *p = c->pools; p != NULL; p = p->next)
		while (p->queue != NULL) {
			atomic_store(&p->queue->call->stop, true);
			drop(c, p->queue);
		}
	for (uint32_t i = 0; i < c->settings.connections; i++) {
		struct sql_connection *n =
		    c->connections == NULL ? NULL : c->connections[i];

		if (n != NULL && n->work != NULL) {
			atomic_store(&n->work->call->stop, true);
			drop(c, n->work);
		} else if (n != NULL) {
			sql_connection_close(c, n, false);
		}
	}
	turns(c);
	if (c->names != NULL)
		names_free(c->names);
	canceller_free(c->canceller);
	if (c->fd >= 0)
		close(c->fd);
	timers_free(&c->timers);
	free(c->connections);
	free(c);
}

static void *
sql_create(const struct exec_settings *settings, io_done done, void *ctx,
    struct err *e)
{
	struct sql_client *c = calloc(1, sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = NAMES_EVENT};

	if (c == NULL)
		return err_memory(e), NULL;
	c->settings = settings->sql;
	c->done = done;
	c->ctx = ctx;
	c->fd = epoll_create1(EPOLL_CLOEXEC);
	c->names = names_new();
	c->canceller = canceller_new();
	c->connections =
	    calloc(c->settings.connections, sizeof(*c->connections));
	if (c->fd < 0 || c->names == NULL || c->canceller == NULL ||
	    c->connections == NULL ||
	    epoll_ctl(c->fd, EPOLL_CTL_ADD, names_fd(c->names), &event) != 0) {
		err_set(e, "no_descriptor",
		    "There are no descriptors or memory left for statements.");
		sql_destroy(c);
		return NULL;
	}
	return c;
}

static int
sql_fd(const void *driver)
{
	return ((const struct sql_client *)driver)->fd;
}

static int64_t
sql_due_ns(const void *driver)
{
	return timers_next(&((const struct sql_client *)driver)->timers);
}

static void
sql_ready(void *driver)
{
	struct sql_client *c = driver;

	take_events(c);
	take_timers(c);
	turns(c);
}

const struct io_class sql_io = {.create = sql_create,
    .fd = sql_fd,
    .due_ns = sql_due_ns,
    .ready = sql_ready,
    .start = sql_start,
    .stop = sql_stop,
    .destroy = sql_destroy};
