/* subscription.c - groups: one computation and one payload for all that asked
 * for the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/clock.h"
#include "dag/json.h"
#include "web/live_topic.h"
#include "web/log.h"
#include "web/operation.h"
#include "web/request.h"
#include "web_sql.h"

#define QUEUE_MAX 8192 /* updates; then what is missed is looked for again */

struct subscriber {
	struct group *group;
	const struct subscriber_events *events; /* NULL: it left */
	const struct call_origin *origin;
	void *arg;
	struct subscriber *next, **at;
};

struct update {
	struct update *next;
	struct live_value *value; /* NULL: the end */
	struct subscriber *only;
};

struct group {
	struct live_topic *topic;
	uint8_t key[SHA256_DIGEST_LENGTH];
	struct live_plan plan;
	bool flat;  /* events tell all of its fields */
	bool texts; /* … of which some are results, errors or logs */
	char *body;
	size_t body_len;
	struct subscriber *members;
	unsigned busy; /* in a loop over its members */
	struct update *first, **last;
	unsigned queued;
	struct call *call; /* for `current` */
	struct update *current;
	struct live_request snapshot;
	struct group *next, **at;
};

static void group_run(struct group *);

/* --- groups --------------------------------------------------------------- */

static void
update_free(struct update *u)
{
	live_value_release(u->value);
	free(u);
}

static void
group_free(struct group *g)
{
	struct update *u;

	*g->at = g->next;
	if (g->next != NULL)
		g->next->at = g->at;
	if (g->call != NULL)
		call_forget(g->call);
	if (g->current != NULL)
		update_free(g->current);
	while ((u = g->first) != NULL) {
		g->first = u->next;
		update_free(u);
	}
	free(g->snapshot.plan);
	free(g->body);
	free(g);
}

static void
subscriber_free(struct subscriber *s)
{
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	free(s);
}

/* After a loop over members: those that left meanwhile go; true: the group
 * went, too, and perhaps its topic. */
static bool
group_rest(struct group *g)
{
	struct live_topic *t = g->topic;
	struct subscriber *s, *next;

	if (--g->busy > 0)
		return false;
	for (s = g->members; s != NULL; s = next) {
		next = s->next;
		if (s->events == NULL)
			subscriber_free(s);
	}
	if (g->members != NULL || t->busy > 0)
		return false;
	t->busy++;
	group_free(g);
	live_topic_rest(t);
	return true;
}

void
subscription_sweep(struct live_topic *t)
{
	struct group *g, *next;

	for (g = t->groups; g != NULL; g = next) {
		next = g->next;
		if (g->members == NULL && g->busy == 0)
			group_free(g);
	}
}

void
subscription_leave(struct subscriber *s)
{
	struct group *g = s->group;
	struct update *u;

	live_topic_forget(g->topic, s);
	for (u = g->first; u != NULL; u = u->next)
		if (u->only == s)
			u->only = (void *)g; /* nobody */
	if (g->current != NULL && g->current->only == s)
		g->current->only = (void *)g;
	s->events = NULL;
	g->busy++;
	group_rest(g);
}

static bool
group_fields(struct group *g)
{
	unsigned i;

	g->flat = true;
	for (i = 0; i < g->plan.field_count; i++)
		if (g->plan.fields[i].name == NULL ||
		    !live_field_known(
			g->plan.nodes, g->plan.fields[i].name, &g->texts))
			g->flat = false;
	return g->flat;
}

/* Takes the request's plan. */
static struct group *
group_new(struct live_topic *t, struct live_request *r,
    const uint8_t key[SHA256_SIZE])
{
	struct group *g = calloc(1, sizeof(*g));

	if (g == NULL || (g->body = malloc(r->body_len + 1)) == NULL) {
		free(g);
		return NULL;
	}
	memcpy(g->key, key, SHA256_SIZE);
	memcpy(g->body, r->body, r->body_len);
	g->body_len = r->body_len;
	g->snapshot.plan = r->plan;
	g->plan = *r->plan;
	r->plan = NULL;
	group_fields(g);
	g->last = &g->first;
	g->topic = t;
	g->next = t->groups;
	g->at = &t->groups;
	if (g->next != NULL)
		g->next->at = &g->next;
	t->groups = g;
	return g;
}

/* --- telling -------------------------------------------------------------- */

static void
deliver(
    struct group *g, const struct update *u, const char *payload, size_t len)
{
	struct subscriber *s;

	for (s = g->members; s != NULL; s = s->next)
		if (s->events != NULL && (u->only == NULL || u->only == s))
			s->events->next(s->arg, payload, len);
}

static void
put_since(struct buf *b, const struct live_value *v)
{
	char text[TIME_TEXT];

	time_format(v->time_us, text);
	buf_printf(b, "},\"extensions\":{\"since\":\"%s\"}}", text);
}

/* rest: what the statement gave for the fields that events don't tell. */
static void
payload_put(struct buf *b, const struct group *g, const struct live_value *v,
    const struct json *rest)
{
	const struct live_plan *p = &g->plan;
	const struct json *value;
	bool text;
	unsigned i;

	buf_puts(b, "{\"data\":{");
	json_write_string(b, p->key, strlen(p->key));
	buf_puts(b, ":{");
	for (i = 0; i < p->field_count; i++) {
		const struct live_field_plan *f = &p->fields[i];

		if (i > 0)
			buf_putc(b, ',');
		json_write_string(b, f->key, strlen(f->key));
		buf_putc(b, ':');
		if (f->name != NULL &&
		    live_field_known(p->nodes, f->name, &text))
			live_field_write(v, f->name, b);
		else if ((value = json_get(rest, f->key)) != NULL)
			json_write(b, value);
		else
			buf_puts(b, "null");
	}
	buf_putc(b, '}');
	put_since(b, v);
}

static void
tell(struct group *g, const struct update *u, const struct json *rest)
{
	struct buf b;

	buf_create(&b, 0);
	payload_put(&b, g, u->value, rest);
	if (buf_failed(&b))
		log_error("live: out of memory for a payload");
	else
		deliver(g, u, b.data, b.len);
	buf_free(&b);
}

/* The statement's whole answer, where it has errors. */
static void
tell_errors(
    struct group *g, const struct update *u, const char *body, size_t len)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"errors\":");
	operation_errors(&b, body, len);
	buf_putc(&b, '}');
	if (!buf_failed(&b))
		deliver(g, u, b.data, b.len);
	buf_free(&b);
}

static void
snapshot_done(void *arg, int status, const char *body, size_t len)
{
	struct group *g = arg;
	struct update *u = g->current;
	const struct json *root, *object = NULL;
	struct mem m;
	struct err e;

	g->call = NULL;
	g->current = NULL;
	g->busy++;
	mem_create(&m, 0);
	err_clear(&e);
	if (status < 300 && json_parse(&m, body, len, NULL, &root, &e) == 0 &&
	    json_get(root, "errors") == NULL)
		object = json_get(json_get(root, "data"), g->plan.key);
	if (object != NULL)
		tell(g, u, object->type == JSON_OBJECT ? object : NULL);
	else
		tell_errors(g, u, body, len);
	mem_destroy(&m);
	update_free(u);
	if (!group_rest(g))
		group_run(g);
}

/* False: it could not be asked. */
static bool
snapshot_ask(struct group *g, struct update *u)
{
	const struct live_value *v = u->value;
	struct call_request r = {.method = "POST",
	    .path = "/graphql",
	    .content_type = "application/json",
	    .accept = "application/json",
	    .body = g->body,
	    .body_len = g->body_len,
	    .subject = &g->snapshot,
	    .done = snapshot_done,
	    .arg = g};
	const struct subscriber *s = g->members;

	while (s != NULL && s->events == NULL)
		s = s->next;
	if (s == NULL)
		return false;
	r.from = s->origin;
	g->snapshot.purpose = LIVE_SNAPSHOT;
	g->snapshot.subject = g->plan.nodes
				  ? uuid_node_execution(&v->execution, v->node)
				  : v->execution;
	g->current = u;
	g->call = call_start(&r);
	if (g->call == NULL)
		g->current = NULL;
	return g->call != NULL;
}

static void
tell_end(struct group *g, const struct subscriber *only)
{
	struct subscriber *s, *next;

	for (s = g->members; s != NULL; s = next) {
		const struct subscriber_events *events = s->events;

		next = s->next;
		if (events == NULL || (only != NULL && only != s))
			continue;
		s->events = NULL;
		live_topic_forget(g->topic, s);
		events->ended(s->arg);
	}
}

static void
group_run(struct group *g)
{
	struct update *u;

	g->busy++;
	while (g->call == NULL && (u = g->first) != NULL) {
		if ((g->first = u->next) == NULL)
			g->last = &g->first;
		g->queued--;
		if (u->value == NULL) {
			tell_end(g, u->only);
		} else if (g->flat) {
			tell(g, u, NULL);
		} else if (snapshot_ask(g, u)) {
			continue;
		}
		update_free(u);
	}
	group_rest(g);
}

static void
push(struct group *g, struct live_value *v, struct subscriber *only)
{
	struct update *u;

	if (g->queued >= QUEUE_MAX && v != NULL)
		return; /* the latest is told when it has caught up */
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return;
	u->value = v == NULL ? NULL : live_value_hold(v);
	u->only = only;
	*g->last = u;
	g->last = &u->next;
	g->queued++;
}

void
subscription_publish(
    struct live_topic *t, struct live_value *v, struct subscriber *only)
{
	struct group *g, *next;

	/* What belongs to whom never changes; still, look each time. */
	if (!uuid_equal(&v->organization, &t->organization))
		return;
	t->busy++;
	for (g = t->groups; g != NULL; g = next) {
		next = g->next;
		if (g->plan.nodes != (v->node != LIVE_RUN) ||
		    (only != NULL && only->group != g))
			continue;
		push(g, v, only);
		if (g->call == NULL && g->busy == 0)
			group_run(g);
	}
	live_topic_rest(t);
}

void
subscription_end(struct live_topic *t, struct subscriber *only)
{
	struct group *g, *next;

	t->busy++;
	for (g = t->groups; g != NULL; g = next) {
		next = g->next;
		if (only != NULL && only->group != g)
			continue;
		push(g, NULL, only);
		if (g->call == NULL && g->busy == 0)
			group_run(g);
	}
	live_topic_rest(t);
}

bool
subscription_wants_nodes(const struct live_topic *t, bool *texts)
{
	const struct group *g;
	bool any = false;

	for (g = t->groups; g != NULL; g = g->next) {
		any |= g->plan.nodes;
		*texts |= g->plan.nodes && g->texts;
	}
	return any;
}

/* --- joining -------------------------------------------------------------- */

const enum live_purpose *
subscription_purpose(const struct flow *f)
{
	const struct live_request *r = call_subject(f);

	return r == NULL ? NULL : &r->purpose;
}

const struct uuid *
subscription_subject(const struct flow *f)
{
	const struct live_request *r = call_subject(f);

	return &r->subject;
}

enum flow_next
subscription_ask(struct flow *f, const struct live_plan *plan)
{
	struct live_request *r = call_subject(f);

	const struct actor *a = flow_actor(f);

	assert(r != NULL && r->purpose == LIVE_OPERATION && a != NULL);
	if (policy_judge(policy_get(POLICY_EXECUTION_READ), a->admin,
		a->scopes) != POLICY_ALLOWED)
		return flow_fail(f, 403, "insufficient_scope",
		    "The credential's scopes don't let it see executions.");
	free(r->plan);
	if ((r->plan = live_plan_copy(plan)) == NULL)
		return flow_fail(
		    f, 503, "out_of_memory", "The server ran out of memory.");
	sql_uuid(flow_params(f), &plan->execution);
	return flow_query(f, &SQL_LIVE_EXECUTION);
}

/* Who may see the same: of one organization with one role and scopes. */
static void
key_of(const struct flow *f, const struct live_request *r,
    uint8_t key[SHA256_SIZE])
{
	const struct actor *a = flow_actor(f);
	SHA256_CTX c;

	SHA256_Init(&c);
	SHA256_Update(&c, &a->organization, sizeof(a->organization));
	SHA256_Update(&c, &a->admin, sizeof(a->admin));
	SHA256_Update(&c, &a->scopes, sizeof(a->scopes));
	SHA256_Update(&c, &r->plan->nodes, sizeof(r->plan->nodes));
	SHA256_Update(&c, r->body, r->body_len);
	SHA256_Final(key, &c);
}

static struct group *
group_find(struct live_topic *t, struct live_request *r,
    const uint8_t key[SHA256_SIZE])
{
	struct group *g;

	for (g = t->groups; g != NULL; g = g->next)
		if (memcmp(g->key, key, SHA256_SIZE) == 0)
			return g;
	return group_new(t, r, key);
}

static struct subscriber *
join(const struct flow *f, struct live_topic *t, struct live_request *r)
{
	struct subscriber *s = calloc(1, sizeof(*s));
	uint8_t key[SHA256_SIZE];

	if (s == NULL)
		return NULL;
	key_of(f, r, key);
	if ((s->group = group_find(t, r, key)) == NULL) {
		free(s);
		return NULL;
	}
	s->events = r->events;
	s->origin = r->origin;
	s->arg = r->arg;
	s->next = s->group->members;
	s->at = &s->group->members;
	if (s->next != NULL)
		s->next->at = &s->next;
	s->group->members = s;
	return s;
}

/* One that has ended tells its last state and ends. */
static void
begin(struct live_topic *t, struct subscriber *s, const struct live_plan *plan,
    struct live_value *now)
{
	if (plan->since_given) {
		live_topic_replay(t, s, plan->since_us);
		return;
	}
	if (!live_value_final(now)) {
		live_topic_look(t);
		return;
	}
	t->busy++;
	subscription_publish(t, now, s);
	subscription_end(t, s);
	live_topic_rest(t);
}

enum flow_next
subscription_accept(struct flow *f, bool *found)
{
	struct live_request *r = call_subject(f);
	struct live_plan plan = *r->plan;
	struct live_value *now = NULL;
	struct subscriber *s = NULL;
	struct live_topic *t;

	*found = sql_count(flow_rows(f)) > 0;
	if (!*found)
		return FLOW_NEXT;
	now = live_value_run_row(flow_rows(f), 0);
	t = now == NULL ? NULL : live_topic_make(now);
	if (t != NULL) {
		t->busy++;
		r->subscriber = s = join(f, t, r);
		if (s != NULL)
			begin(t, s, &plan, now);
		live_topic_rest(t);
	}
	live_value_release(now);
	if (s == NULL)
		return flow_fail(
		    f, 503, "out_of_memory", "The server ran out of memory.");
	return flow_reply_empty(f, 204);
}
