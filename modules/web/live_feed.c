/* live_feed.c - what happens to executions that somebody here listens to.
 *
 *   in this server    exec/live.h: at once, from shared memory
 *   in another one    NOTIFY open_events after its commit, then what changed is
 *                     read from the database; open_control for pauses
 *   not there         a run that has gone from memory is in the database
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/live_feed.h"
#include "web/live_topic.h"
#include "web/log.h"
#include "web/server.h"
#include "web/websocket.h"
#include "web_sql.h"

#define BUCKETS 4096u
#define EVENTS	256
#define RECENT	128 /* states of nodes that were told */

/* A look into the database: nodes, then the execution. */
struct live_load {
	struct query query;
	struct sql_params params;
	struct mem mem;
	struct live_topic *topic;
	struct subscriber *only; /* NULL: all; */
	bool private;		 /* … it was one subscriber's */
	bool again;		 /* something happened meanwhile */
	bool nodes;		 /* what is asked for now */
	int64_t since_us;
	struct live_load *next, **at; /* of the topic */
};

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	struct live_topic *topics[BUCKETS];
	unsigned count;
} feed;

static void load_start(struct live_load *);

/* --- topics --------------------------------------------------------------- */

struct live_topic *
live_topic_find(const struct uuid *execution)
{
	struct live_topic *t = feed.topics[live_hash(execution) % BUCKETS];

	while (t != NULL && !uuid_equal(&t->execution, execution))
		t = t->next;
	return t;
}

struct live_topic *
live_topic_make(const struct live_value *v)
{
	struct live_topic *t = live_topic_find(&v->execution), **at;

	if (t != NULL)
		return t;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->execution = v->execution;
	t->organization = v->organization;
	t->status = v->run.status;
	t->paused = v->run.paused;
	t->last_us = clock_real_us();
	at = &feed.topics[live_hash(&t->execution) % BUCKETS];
	t->next = *at;
	t->at = at;
	if (t->next != NULL)
		t->next->at = &t->next;
	*at = t;
	feed.count++;
	live_watch(server.exec, &t->execution);
	return t;
}

/* Nobody finds it any more. */
static void
topic_unlink(struct live_topic *t)
{
	if (t->at == NULL)
		return;
	*t->at = t->next;
	if (t->next != NULL)
		t->next->at = t->at;
	t->at = NULL;
	feed.count--;
	live_unwatch(server.exec, &t->execution);
}

void
live_topic_rest(struct live_topic *t)
{
	struct live_load *l;

	if (--t->busy > 0)
		return;
	t->busy++;
	subscription_sweep(t);
	t->busy--;
	if (t->groups != NULL)
		return;
	topic_unlink(t);
	for (l = t->loads; l != NULL; l = l->next)
		l->topic = NULL;
	free(t->recent);
	free(t);
}

/* --- what was told -------------------------------------------------------- */

/* A node comes to a state once an attempt. */
static uint64_t
state_of(const struct live_value *v)
{
	return (uint64_t)v->node << 32 | (uint64_t)v->state.attempts << 8 |
	       (uint64_t)v->state.status;
}

static bool
was_told(const struct live_topic *t, const struct live_value *v)
{
	uint32_t i;

	for (i = 0; t->recent != NULL && i < RECENT; i++)
		if (t->recent[i] == state_of(v))
			return true;
	return false;
}

static void
remember(struct live_topic *t, const struct live_value *v)
{
	if (v->time_us > t->last_us)
		t->last_us = v->time_us;
	if (v->node == LIVE_RUN)
		return;
	if (t->recent == NULL) {
		t->recent = malloc(RECENT * sizeof(*t->recent));
		if (t->recent == NULL)
			return;
		memset(t->recent, 0xff, RECENT * sizeof(*t->recent));
	}
	t->recent[t->recent_at++ % RECENT] = state_of(v);
}

/* The topic may be gone afterwards, unless it is held. */
static void
tell(struct live_topic *t, struct live_value *v)
{
	remember(t, v);
	t->busy++;
	if (v->node == LIVE_RUN) {
		t->status = v->run.status;
		t->paused = v->run.paused;
	}
	subscription_publish(t, v, NULL);
	if (live_value_final(v) && !t->ended) {
		t->ended = true;
		topic_unlink(t);
		subscription_end(t, NULL);
	}
	live_topic_rest(t);
}

/* --- from the database ---------------------------------------------------- */

static void
load_free(struct live_load *l)
{
	*l->at = l->next;
	if (l->next != NULL)
		l->next->at = l->at;
	query_clear(&l->query);
	mem_destroy(&l->mem);
	free(l);
}

static struct live_load *
load_new(struct live_topic *t, int64_t since_us, struct subscriber *only)
{
	struct live_load *l = calloc(1, sizeof(*l));
	bool texts = false;

	if (l == NULL)
		return NULL;
	mem_create(&l->mem, 0);
	l->topic = t;
	l->only = only;
	l->private = only != NULL;
	l->since_us = since_us;
	l->nodes = subscription_wants_nodes(t, &texts);
	l->next = t->loads;
	l->at = &t->loads;
	if (l->next != NULL)
		l->next->at = &l->next;
	t->loads = l;
	return l;
}

/* One at a time for all; what comes meanwhile makes it look again. */
static void
topic_load(struct live_topic *t)
{
	struct live_load *l;

	for (l = t->loads; l != NULL; l = l->next)
		if (!l->private) {
			l->again = true;
			return;
		}
	if ((l = load_new(t, t->last_us, NULL)) != NULL)
		load_start(l);
}

static void
take_nodes(struct live_load *l, const struct sql_rows *rows)
{
	struct live_topic *t = l->topic;
	struct live_value *v;
	int row;

	for (row = 0; row < sql_count(rows); row++) {
		v = live_value_node_row(
		    rows, row, &t->execution, &t->organization);
		if (v != NULL && l->only != NULL)
			subscription_publish(t, v, l->only);
		else if (v != NULL && !l->private && !was_told(t, v))
			tell(t, v);
		live_value_release(v);
	}
}

static void
take_run(struct live_load *l, const struct sql_rows *rows)
{
	struct live_topic *t = l->topic;
	struct live_value *v;

	if (sql_count(rows) == 0) { /* its history was dropped */
		subscription_end(t, NULL);
		return;
	}
	if ((v = live_value_run_row(rows, 0)) == NULL)
		return;
	if (l->only != NULL) {
		subscription_publish(t, v, l->only);
		if (live_value_final(v))
			subscription_end(t, l->only);
	} else if (!l->private &&
		   (v->run.status != t->status || v->run.paused != t->paused))
		tell(t, v);
	live_value_release(v);
}

static void
load_next(struct live_load *l)
{
	if (l->nodes) {
		l->nodes = false;
		load_start(l);
	} else if (l->again) {
		bool texts = false;

		l->again = false;
		l->since_us = l->topic->last_us;
		l->nodes = subscription_wants_nodes(l->topic, &texts);
		load_start(l);
	} else {
		load_free(l);
	}
}

static void
loaded(struct query *q)
{
	struct live_load *l = q->arg;
	struct live_topic *t = l->topic;
	const struct sql_rows *rows = (const void *)q->result;

	if (t == NULL) { /* its list ended with it */
		l->next = NULL;
		l->at = &l->next;
		load_free(l);
		return;
	}
	if (q->outcome != QUERY_OK) {
		if (q->outcome == QUERY_ERROR)
			log_error("live: %s %s", q->sqlstate, q->message);
		load_free(l); /* the next announcement looks again */
		return;
	}
	t->busy++;
	if (l->nodes)
		take_nodes(l, rows);
	else
		take_run(l, rows);
	query_clear(q);
	load_next(l);
	live_topic_rest(t);
}

static void
load_start(struct live_load *l)
{
	mem_reset(&l->mem);
	memset(&l->params, 0, sizeof(l->params));
	memset(&l->query, 0, sizeof(l->query));
	l->params.mem = &l->mem;
	sql_uuid(&l->params, &l->topic->execution);
	if (l->nodes)
		sql_int(&l->params, l->since_us);
	l->query.sql = l->nodes ? &SQL_LIVE_NODES : &SQL_LIVE_EXECUTION;
	l->query.params = &l->params;
	l->query.done = loaded;
	l->query.arg = l;
	if (query_submit(POOL_SYSTEM, &l->query) != 0)
		load_free(l);
}

void
live_topic_forget(struct live_topic *t, const struct subscriber *s)
{
	struct live_load *l;

	for (l = t->loads; l != NULL; l = l->next)
		if (l->only == s)
			l->only = NULL;
}

/* --- from shared memory --------------------------------------------------- */

/* False: the run went meanwhile. */
static bool
replay_nodes(struct live_topic *t, struct run_ref ref, int64_t since_us,
    struct subscriber *only)
{
	uint32_t nodes[256], from = 0;
	struct live_value *v;
	bool texts = true;
	size_t count, i;

	do {
		if (!live_view_changed(server.exec, ref, since_us, from, nodes,
			256, &count, &from))
			return false;
		for (i = 0; i < count; i++) {
			v = live_value_node(server.exec, ref, nodes[i], texts);
			if (v == NULL)
				return false;
			if (only != NULL)
				subscription_publish(t, v, only);
			else if (!was_told(t, v))
				tell(t, v);
			live_value_release(v);
		}
	} while (from != 0);
	return true;
}

/* What the run is now, to all or to one. */
static bool
replay_run(struct live_topic *t, struct run_ref ref, struct subscriber *only)
{
	struct live_value *v = live_value_run(server.exec, ref);

	if (v == NULL)
		return false;
	if (only != NULL) {
		subscription_publish(t, v, only);
		if (live_value_final(v))
			subscription_end(t, only);
	} else if (v->run.status != t->status || v->run.paused != t->paused) {
		tell(t, v);
	}
	live_value_release(v);
	return true;
}

void
live_topic_replay(struct live_topic *t, struct subscriber *s, int64_t since_us)
{
	struct live_load *l;
	struct run_ref ref;

	t->busy++;
	if (!exec_find(server.exec, &t->execution, &ref) ||
	    !replay_nodes(t, ref, since_us, s) || !replay_run(t, ref, s)) {
		t->away = true;
		l = load_new(t, since_us, s);
		if (l != NULL)
			load_start(l);
		live_remote_watch();
	}
	live_topic_rest(t);
}

void
live_topic_look(struct live_topic *t)
{
	bool texts = false, nodes = subscription_wants_nodes(t, &texts);
	bool was_away = t->away;
	struct run_ref ref;

	t->busy++;
	t->looked_ns = clock_mono_ns();
	t->away = !exec_find(server.exec, &t->execution, &ref);
	if (t->away || (nodes && !replay_nodes(t, ref, t->last_us, NULL)) ||
	    !replay_run(t, ref, NULL))
		topic_load(t);
	if (t->away && !was_away)
		live_remote_watch();
	live_topic_rest(t);
}

static void
take_event(const struct live_event *e)
{
	struct live_topic *t = live_topic_find(&e->execution);
	struct live_value *v;
	bool texts = false;

	if (t == NULL)
		return;
	t->away = false;
	if (e->kind == LIVE_EXECUTION)
		v = live_value_run(server.exec, e->run);
	else if (subscription_wants_nodes(t, &texts))
		v = live_value_node(server.exec, e->run, e->node, texts);
	else
		return;
	if (v == NULL) {
		topic_load(t);
		return;
	}
	/* It may be ahead of others that are still to be told. */
	if (e->time_us > 0)
		v->time_us = e->time_us;
	if (v->node == LIVE_RUN || !was_told(t, v))
		tell(t, v);
	live_value_release(v);
}

/* A later event of the same node tells the same. */
static bool
is_overtaken(const struct live_event *events, size_t i, size_t count)
{
	size_t k;

	for (k = i + 1; k < count; k++)
		if (events[k].node == events[i].node &&
		    events[k].run.slot == events[i].run.slot &&
		    events[k].run.generation == events[i].run.generation)
			return true;
	return false;
}

/* Until live_fd tells of the next. */
static void
drain(void)
{
	struct live_event events[EVENTS];
	size_t count, i;
	bool missed;

	websocket_cork();
	do {
		count = live_read(server.exec, events, EVENTS, &missed);
		for (i = 0; i < count; i++)
			if (!is_overtaken(events, i, count))
				take_event(&events[i]);
		if (missed)
			live_topics_look(NULL);
	} while (count == EVENTS);
	websocket_uncork();
}

static void
readable(void *arg, int error)
{
	uint64_t n;

	(void)arg;
	(void)error;
	feed.event.flags = 0;
	if (read(live_fd(server.exec), &n, sizeof(n)) == sizeof(n))
		drain();
}

/* --- all of them ---------------------------------------------------------- */

void
live_topics_look(bool (*which)(struct live_topic *))
{
	struct live_topic *t, *next;
	unsigned i;

	if (feed.count == 0)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (t = feed.topics[i]; t != NULL; t = next) {
			next = t->next;
			if (which == NULL || which(t))
				live_topic_look(t);
		}
}

void
live_topics_away(void (*each)(void *, const struct live_topic *), void *arg)
{
	const struct live_topic *t;
	unsigned i;

	for (i = 0; feed.count > 0 && i < BUCKETS; i++)
		for (t = feed.topics[i]; t != NULL; t = t->next)
			if (t->away)
				each(arg, t);
}

void
live_feed_start(void)
{
	feed.event.type = KORE_TYPE_TASK;
	feed.event.handle = readable;
	if (live_fd(server.exec) >= 0)
		kore_platform_event_schedule(
		    live_fd(server.exec), EPOLLIN, 0, &feed);
	drain();
	live_remote_start();
}
