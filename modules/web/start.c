/* start.c - executions begin: requests of one organization that arrive
 * together share one statement and one commit.
 *
 * A batch is under way, another one collects; whoever is told "started" has a
 * slot reserved in shared memory before and a durable row after.
 */

#include <stdlib.h>
#include <string.h>

#include "exec/op_call.h"
#include "web/log.h"
#include "web/request.h"
#include "web_sql.h"

#define BATCH_MAX 256

struct start_member {
	struct flow *flow; /* NULL: its client went away */
	struct uuid execution;
	struct run_ref run;
	char dag[UUID_TEXT], id[UUID_TEXT], user[UUID_TEXT];
	const char *context;
};

struct start_batch {
	struct query query;
	struct sql_params params;
	struct mem mem;
	struct uuid organization;
	bool sent;
	unsigned count;
	struct start_member members[BATCH_MAX];
	struct start_batch *next;
};

static struct start_batch *batches; /* few: two per busy organization */

static void batch_done(struct query *);

/* --- batches -------------------------------------------------------------- */

static struct start_batch *
batch_new(const struct uuid *organization)
{
	struct start_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	mem_create(&b->mem, 0);
	b->organization = *organization;
	b->params.mem = &b->mem;
	b->next = batches;
	batches = b;
	return b;
}

static void
batch_free(struct start_batch *b)
{
	struct start_batch **p;

	for (p = &batches; *p != b; p = &(*p)->next)
		;
	*p = b->next;
	query_clear(&b->query);
	mem_destroy(&b->mem);
	free(b);
}

static struct start_batch *
batch_find(const struct uuid *organization, bool sent)
{
	struct start_batch *b;

	for (b = batches; b != NULL; b = b->next)
		if (b->sent == sent && (sent || b->count < BATCH_MAX) &&
		    uuid_equal(&b->organization, organization))
			return b;
	return NULL;
}

static void
permissions_put(struct start_batch *b)
{
	const struct op_set *set = op_table_set();
	const char **ops, **settings;
	size_t i, n = 0;

	ops = mem_array(&b->mem, set->count, sizeof(*ops));
	settings = mem_array(&b->mem, set->count, sizeof(*settings));
	for (i = 0; i < set->count && !mem_failed(&b->mem); i++) {
		if (set->ops[i]->permission == NULL)
			continue;
		ops[n] = set->ops[i]->name;
		settings[n++] = set->ops[i]->permission;
	}
	sql_text_array(&b->params, ops, n);
	sql_text_array(&b->params, settings, n);
}

static void
params_put(struct start_batch *b)
{
	const char **column;
	unsigned c, i;

	for (c = 0; c < 4; c++) {
		column = mem_array(&b->mem, b->count, sizeof(*column));
		for (i = 0; i < b->count && column != NULL; i++) {
			const struct start_member *m = &b->members[i];

			column[i] = c == 0   ? m->id
				    : c == 1 ? m->dag
				    : c == 2 ? m->context
					     : m->user;
		}
		if (column != NULL)
			sql_text_array(&b->params, column, b->count);
	}
	sql_uuid(&b->params, &server.id);
	permissions_put(b);
}

/* --- outcomes ------------------------------------------------------------- */

/* The flow answers the query's error itself. */
static void
member_failed(struct start_member *m, const struct query *q)
{
	struct flow *f = m->flow;

	exec_abandon(server.exec, m->run);
	if (f == NULL)
		return;
	f->start.waiting = false;
	query_clear(&f->query);
	f->query.sql = q->sql;
	f->query.outcome = q->outcome;
	memcpy(f->query.sqlstate, q->sqlstate, sizeof(q->sqlstate));
	memcpy(f->query.constraint, q->constraint, sizeof(q->constraint));
	memcpy(f->query.message, q->message, sizeof(q->message));
	f->asked = true;
	flow_wake(f);
}

static void
batch_fail(struct start_batch *b)
{
	unsigned i;

	if (b->query.outcome == QUERY_LOST)
		recovery_suspect();
	for (i = 0; i < b->count; i++)
		member_failed(&b->members[i], &b->query);
	batch_free(b);
}

static void
batch_send(struct start_batch *b)
{
	b->sent = true;
	params_put(b);
	b->query.sql = &SQL_START;
	b->query.params = &b->params;
	b->query.organization = &b->organization;
	b->query.done = batch_done;
	b->query.arg = b;
	atomic_fetch_add(&server.mine->queries, 1);
	if (mem_failed(&b->mem) || query_submit(POOL_API, &b->query) != 0)
		batch_fail(b);
}

static void
send_next(const struct uuid *organization)
{
	struct start_batch *b, *first = NULL;

	if (batch_find(organization, true) != NULL)
		return;
	for (b = batches; b != NULL; b = b->next)
		if (!b->sent && uuid_equal(&b->organization, organization))
			first = b; /* the list begins with the newest */
	if (first != NULL)
		batch_send(first);
}

static struct start_member *
member_find(struct start_batch *b, const struct uuid *execution)
{
	unsigned i;

	for (i = 0; i < b->count; i++)
		if (uuid_equal(&b->members[i].execution, execution))
			return &b->members[i];
	return NULL;
}

/* The row is there: hand the run over. */
static void
member_commit(struct start_batch *b, struct start_member *m, int row)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)b->query.result;
	struct plan_hash hash;
	const void *bytes;
	struct err e;
	size_t len;

	atomic_fetch_add(&server.mine->started, 1);
	err_clear(&e);
	bytes = sql_get_bytes(rows, row, 5, &b->mem, &len);
	if (bytes != NULL && len == sizeof(hash.bytes)) {
		memcpy(hash.bytes, bytes, len);
		if (exec_commit(server.exec, m->run, &hash, NULL, &e) == 0)
			return;
	}
	recovery_plan(&m->execution, m->run);
}

static void
member_end(struct start_batch *b, struct start_member *m, int row)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)b->query.result;
	struct flow *f = m->flow;
	struct started *s;
	bool started = !sql_is_null(rows, row, 7);

	if (started)
		member_commit(b, m, row);
	else
		exec_abandon(server.exec, m->run);
	if (f == NULL)
		return;
	s = &f->start.started;
	s->outcome = !sql_get_bool(rows, row, 1)   ? START_NO_DAG
		     : !sql_get_bool(rows, row, 2) ? START_NOT_ACTIVE
		     : !sql_get_bool(rows, row, 3) ? START_NOT_ALLOWED
						   : STARTED;
	s->execution = m->execution;
	sql_get_uuid(rows, row, 4, &s->version);
	s->total_nodes = (int32_t)sql_get_int(rows, row, 6);
	s->inserted_at = mem_strdup(&f->mem, sql_get(rows, row, 7));
	f->start.waiting = false;
	flow_wake(f);
}

/* One bad context must not fail the others: each by itself. */
static bool
batch_split(struct start_batch *b)
{
	const char *state = b->query.sqlstate;
	struct start_batch *one;
	unsigned i;

	if (b->query.outcome != QUERY_ERROR || b->count < 2 ||
	    (strncmp(state, "22", 2) != 0 && strncmp(state, "23", 2) != 0 &&
		strncmp(state, "54", 2) != 0))
		return false;
	for (i = 0; i < b->count; i++) {
		if ((one = batch_new(&b->organization)) == NULL) {
			member_failed(&b->members[i], &b->query);
			continue;
		}
		one->count = 1;
		one->members[0] = b->members[i];
		one->members[0].context =
		    mem_strdup(&one->mem, b->members[i].context);
		if (one->members[0].flow != NULL)
			one->members[0].flow->start.batch = one;
		batch_send(one);
	}
	batch_free(b);
	return true;
}

static void
batch_done(struct query *q)
{
	struct start_batch *b = q->arg;
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct uuid organization = b->organization, id;
	struct start_member *m;
	int row;

	if (q->outcome != QUERY_OK) {
		if (!batch_split(b))
			batch_fail(b);
		send_next(&organization);
		return;
	}
	for (row = 0; row < sql_count(rows); row++)
		if (sql_get_uuid(rows, row, 0, &id) &&
		    (m = member_find(b, &id)) != NULL)
			member_end(b, m, row);
	batch_free(b);
	send_next(&organization);
}

/* --- flows ---------------------------------------------------------------- */

static enum flow_next
reserve(
    struct flow *f, const struct start_request *request, struct start_member *m)
{
	struct run_start start;
	struct err e;

	m->execution = uuid_execution();
	start.execution = m->execution;
	start.organization = f->actor.organization;
	start.context = request->context;
	start.context_len = request->context_len;
	err_clear(&e);
	if (exec_reserve(server.exec, &start, &m->run, &e) == 0)
		return FLOW_NEXT;
	return flow_fail(f, 503, e.code,
	    "The executor has no room for another execution; try again soon.");
}

static void
member_fill(struct start_batch *b, struct start_member *m, struct flow *f,
    const struct start_request *request)
{
	m->flow = f;
	uuid_format(&m->execution, m->id);
	uuid_format(&request->dag, m->dag);
	uuid_format(&f->actor.user, m->user);
	m->context =
	    mem_strndup(&b->mem, request->context, request->context_len);
}

enum flow_next
flow_start(struct flow *f, const struct start_request *request)
{
	struct start_member member = {.flow = NULL};
	struct start_batch *b;
	enum flow_next next;

	if ((next = reserve(f, request, &member)) != FLOW_NEXT)
		return next;
	b = batch_find(&f->actor.organization, false);
	if (b == NULL && (b = batch_new(&f->actor.organization)) == NULL) {
		exec_abandon(server.exec, member.run);
		return flow_fail(
		    f, 500, "out_of_memory", "The server ran out of memory.");
	}
	member_fill(b, &member, f, request);
	b->members[b->count++] = member;
	f->start.waiting = true;
	f->start.batch = b;
	send_next(&f->actor.organization);
	if (f->start.waiting)
		return flow_wait(f);
	f->asked = false; /* refused at once */
	return flow_database(f);
}

const struct started *
flow_started(const struct flow *f)
{
	return &f->start.started;
}

void
start_forget(struct flow *f)
{
	struct start_batch *b = f->start.batch;
	unsigned i;

	for (i = 0; i < b->count; i++)
		if (b->members[i].flow == f)
			b->members[i].flow = NULL;
	f->start.waiting = false;
}
