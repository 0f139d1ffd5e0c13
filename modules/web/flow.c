/* flow.c - a request's way: checks, session, steps, answer.
 *
 * Kore enters the route's handler again after each wait; the handler passes its
 * table anew, and flow_run goes on at the step it had reached.
 */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/audit.h"
#include "web/log.h"
#include "web/request.h"
#include "web/settings.h"

#define TICK_MS 50

static struct flow *newest, *oldest; /* flows of this worker, by age */
static int64_t request_timeout;

/* --- life ----------------------------------------------------------------- */

static void
list_add(struct flow *f)
{
	f->older = newest;
	f->newer = NULL;
	if (newest != NULL)
		newest->newer = f;
	else
		oldest = f;
	newest = f;
}

static void
list_remove(struct flow *f)
{
	if (f->newer != NULL)
		f->newer->older = f->older;
	else
		newest = f->older;
	if (f->older != NULL)
		f->older->newer = f->newer;
	else
		oldest = f->newer;
}

/* Frees the flow, unless a thread still works for it: then work.c comes back.
 */
void
flow_release(struct flow *f)
{
	if (f->req != NULL || f->work.running)
		return;
	if (f->body != NULL)
		kore_buf_free(f->body);
	query_clear(&f->query);
	settings_release(f->settings);
	flow_many_clear(f);
	mem_destroy(&f->mem);
	f->magic = 0;
	free(f);
}

/* Kore frees the request: answered, or its client went away. */
static void
request_gone(struct http_request *req)
{
	struct flow *f = *(struct flow **)http_state_get(req);

	assert(f->magic == FLOW_MAGIC);
	list_remove(f);
	f->req = NULL;
	query_forget(&f->query);
	flow_many_forget(f);
	if (f->call != NULL)
		call_forget(f->call);
	if (f->start.waiting)
		start_forget(f);
	flow_release(f);
}

static struct flow *
flow_new(struct http_request *req, size_t state_size)
{
	struct flow *f;
	struct flow **slot;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	mem_create(&f->mem, 0);
	if ((f->state = mem_alloc(&f->mem, state_size + 1)) == NULL) {
		mem_destroy(&f->mem);
		free(f);
		return NULL;
	}
	f->magic = FLOW_MAGIC;
	f->req = req;
	f->state_size = state_size;
	f->began_ns = clock_mono_ns();
	f->params.mem = &f->mem;
	f->body = req->http_body;
	f->body_len = f->body == NULL ? 0 : req->http_body_length;
	req->http_body = NULL;
	/* Kore has rewound it: http_body_rewind. */
	if (f->body != NULL)
		f->body->offset = req->content_length;
	/* A body that came in pieces left its timeout running. */
	req->owner->http_timeout = 0;
	slot = http_state_create(req, sizeof(f), request_gone);
	*slot = f;
	list_add(f);
	return f;
}

static void
request_wake(struct flow *f)
{
	struct call *call = call_of(f->req);

	if (call != NULL)
		call_wake(call);
	else
		http_request_wakeup(f->req);
}

static void
request_sleep(struct http_request *req)
{
	if (call_of(req) == NULL)
		http_request_sleep(req);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t limit = clock_mono_ns() - request_timeout;
	struct flow *f;

	(void)arg;
	(void)now_ms;
	for (f = oldest; f != NULL && f->began_ns < limit; f = f->newer) {
		if (!f->waiting || f->overdue)
			continue;
		f->overdue = true;
		request_wake(f);
	}
}

void
flow_init(const struct config *c)
{
	request_timeout = c->request_timeout;
	kore_timer_add(tick, TICK_MS, NULL, 0);
}

/* --- waiting -------------------------------------------------------------- */

void
flow_wake(struct flow *f)
{
	f->waiting = false;
	if (f->req != NULL)
		request_wake(f);
}

enum flow_next
flow_wait(struct flow *f)
{
	f->waiting = true;
	request_sleep(f->req);
	return FLOW_WAIT;
}

static void
query_done(struct query *q)
{
	struct flow *f = q->arg;

	f->asked = true;
	flow_wake(f);
}

/* --- steps ---------------------------------------------------------------- */

static int
count_answer(struct flow *f)
{
	unsigned group = f->req->status / 100u;

	atomic_fetch_add(
	    &server.mine->requests[group < STATUS_GROUPS ? group : 0], 1);
	atomic_fetch_add(&server.mine->request_ns,
	    (uint64_t)(clock_mono_ns() - f->began_ns));
	audit_answered(f);
	log_debug("%s %s %u", http_method_text(f->req->method), f->req->path,
	    f->req->status);
	return KORE_RESULT_OK;
}

static enum flow_next
judge(struct flow *f, const struct policy *p)
{
	const char *scope[4] = {"", NULL, NULL, NULL};
	char challenge[100];

	scopes_list(p->scope, scope);
	switch (policy_judge(p, f->actor.admin, f->actor.scopes)) {
	case POLICY_ALLOWED:
		break;
	case POLICY_SCOPE:
		snprintf(challenge, sizeof(challenge),
		    "Bearer error=\"insufficient_scope\", scope=\"%s\"",
		    scope[0]);
		http_response_header(f->req, "www-authenticate", challenge);
		return flow_fail(f, 403, "insufficient_scope",
		    "The token's scopes don't include `%s`.", scope[0]);
	case POLICY_ROLE:
		return flow_fail(f, 403, "forbidden",
		    "Only admins of the organization may do this.");
	}
	return FLOW_NEXT;
}

/* The phases before the first step; FLOW_NEXT: all passed. */
static enum flow_next
prologue(struct flow *f)
{
	const struct policy *p = policy_get(f->action);
	enum flow_next next = FLOW_NEXT;
	bool is_public;

	if (p == NULL)
		return flow_fail(f, 500, "internal",
		    "The server does not know who may do this.");
	is_public = p->who == WHO_ANYONE;
	if (f->phase == PHASE_BEGIN) {
		f->phase = is_public ? PHASE_STEPS : PHASE_SESSION;
		if ((next = request_check(f)) == FLOW_NEXT && !is_public)
			next = session_begin(f);
	} else if (f->phase == PHASE_SESSION) {
		f->asked = false;
		next = session_end(f);
	}
	if (next == FLOW_NEXT && !is_public)
		next = judge(f, p);
	if (next == FLOW_NEXT)
		f->phase = PHASE_STEPS;
	return next;
}

static enum flow_next
run_steps(struct flow *f, const struct flow_step *steps)
{
	enum flow_next next = FLOW_NEXT;

	if (f->phase != PHASE_STEPS)
		next = prologue(f);
	if (next == FLOW_NEXT && f->asked) {
		f->asked = false;
		if (f->query.outcome != QUERY_OK)
			next = flow_database(f);
	}
	while (next == FLOW_NEXT) {
		if (mem_failed(&f->mem))
			return flow_fail(f, 500, "out_of_memory",
			    "The server ran out of memory.");
		if (steps[f->step].run == NULL)
			return flow_fail(f, 500, "internal",
			    "The request came to no answer.");
		next = steps[f->step++].run(f);
	}
	return next;
}

int
flow_run(struct http_request *req, enum policy_action action,
    const struct flow_step *steps, size_t state_size)
{
	struct flow *f;
	enum flow_next next;

	if (http_state_exists(req))
		f = *(struct flow **)http_state_get(req);
	else if ((f = flow_new(req, state_size)) == NULL)
		return KORE_RESULT_ERROR;
	assert(f->magic == FLOW_MAGIC);
	f->action = action;
	if (f->overdue && f->waiting) {
		f->waiting = false;
		next = flow_fail(f, 504, "timeout",
		    "The request took longer than the server allows.");
	} else if (f->waiting) {
		request_sleep(req);
		return KORE_RESULT_RETRY;
	} else if (f->state_size != state_size) {
		next = flow_fail(f, 503, "try_again",
		    "The server was renewed meanwhile; look at what was "
		    "changed, and try again.");
	} else {
		next = run_steps(f, steps);
	}
	if (next == FLOW_WAIT)
		return KORE_RESULT_RETRY;
	assert(f->answered);
	return count_answer(f);
}

/* --- what steps ask of a flow --------------------------------------------- */

void *
flow_state(struct flow *f)
{
	return f->state;
}

struct mem *
flow_mem(struct flow *f)
{
	return &f->mem;
}

const struct actor *
flow_actor(const struct flow *f)
{
	return f->has_actor ? &f->actor : NULL;
}

struct http_request *
flow_request(struct flow *f)
{
	return f->req;
}

struct exec *
flow_exec(void)
{
	return server.exec;
}

void
flow_again(struct flow *f)
{
	f->step--;
}

struct sql_params *
flow_params(struct flow *f)
{
	f->params.count = 0;
	return &f->params;
}

enum flow_next
flow_unavailable(struct flow *f)
{
	return flow_fail(f, 503, "database_unavailable", "%s", NO_DATABASE);
}

const char *
flow_actor_text(struct flow *f)
{
	if (f->actor_text[0] == '\0')
		actor_text(flow_actor(f), flow_address(f), f->actor_text);
	return f->actor_text;
}

enum flow_next
flow_query(struct flow *f, const struct sql *sql)
{
	const struct sql *kept = sql_keep(&f->mem, sql);

	if (kept == NULL || mem_failed(&f->mem))
		return flow_fail(
		    f, 500, "out_of_memory", "The server ran out of memory.");
	assert((unsigned)f->params.count == sql->params);
	query_clear(&f->query);
	f->query.sql = kept;
	f->query.params = &f->params;
	f->query.actor = flow_actor_text(f);
	f->query.done = query_done;
	f->query.arg = f;
	atomic_fetch_add(&server.mine->queries, 1);
	if (query_submit(POOL_API, &f->query) != 0) {
		atomic_fetch_add(&server.mine->query_failures, 1);
		return flow_unavailable(f);
	}
	return flow_wait(f);
}

const struct sql_rows *
flow_rows(const struct flow *f)
{
	return (const struct sql_rows *)(const void *)f->query.result;
}

void
flow_constraint(struct flow *f, const char *constraint, int status,
    const char *code, const char *detail)
{
	unsigned n = f->constraint_count;

	assert(n < CONSTRAINTS_MAX);
	/* Copies: they are told after a wait. */
	f->constraints[n].constraint = mem_strdup(&f->mem, constraint);
	f->constraints[n].status = status;
	f->constraints[n].code = mem_strdup(&f->mem, code);
	f->constraints[n].detail = mem_strdup(&f->mem, detail);
	f->constraint_count++;
}

/* --- a database error as an answer ---------------------------------------- */

enum flow_next
flow_database(struct flow *f)
{
	const struct query *q = &f->query;
	struct flow_error e;
	size_t i;

	for (i = 0; i < f->constraint_count; i++)
		if (q->outcome == QUERY_ERROR &&
		    strcmp(f->constraints[i].constraint, q->constraint) == 0) {
			atomic_fetch_add(&server.mine->query_failures, 1);
			return flow_fail(f, f->constraints[i].status,
			    f->constraints[i].code, "%s",
			    f->constraints[i].detail);
		}
	flow_query_error(q, &e);
	return flow_fail(f, e.status, e.code, "%s", e.detail);
}
