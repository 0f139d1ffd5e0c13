/* start.c - executions begin: requests of one organization that arrive
 * together share one statement and one commit.
 *
 *   collecting ──► starting ──► (explaining) ──► over
 *
 * While one batch of an organization is starting, another one collects. Whoever
 * is told "started" has a slot reserved in shared memory before and a durable
 * row after. Those that got no row are asked about in a second statement.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/op_call.h"
#include "web/lease.h"
#include "web/limits.h"
#include "web/log.h"
#include "web/request.h"
#include "web_sql.h"

#define BATCH_MAX 256

enum column {
	COLUMN_ID,
	COLUMN_DAG,
	COLUMN_CONTEXT,
	COLUMN_METADATA,
	COLUMN_USER,
	COLUMN_PRIORITY,
	COLUMN_CREDENTIAL,
	COLUMN_ADDRESS,
	COLUMN_COUNT
};

struct start_member {
	struct flow *flow; /* NULL: its client went away */
	struct uuid execution;
	struct run_ref run;
	bool reserved; /* run is ours to commit or abandon */
	char id[UUID_TEXT], dag[UUID_TEXT], user[UUID_TEXT];
	char priority[8]; /* "": the DAG's */
	char credential[UUID_TEXT], address[ACTOR_ADDRESS];
	const char *context, *metadata;
};

enum batch_state {
	COLLECTING,
	STARTING,
	EXPLAINING
};

struct start_batch {
	struct query query;
	struct sql_params params;
	struct mem mem;
	struct uuid organization;
	char actor[ACTOR_TEXT];
	enum batch_state state;
	unsigned count;
	struct start_member members[BATCH_MAX];
	struct start_batch *next;
};

static struct start_batch *batches; /* few: two per busy organization */

static void started(struct query *);
static void explained(struct query *);

/* --- batches -------------------------------------------------------------- */

static struct start_batch *
batch_new(const struct uuid *organization)
{
	struct start_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	mem_create(&b->mem, 0);
	b->organization = *organization;
	actor_organization_text(organization, b->actor);
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
batch_find(const struct uuid *organization, enum batch_state state)
{
	struct start_batch *b;

	for (b = batches; b != NULL; b = b->next)
		if (b->state == state &&
		    uuid_equal(&b->organization, organization))
			return b; /* the newest */
	return NULL;
}

void
start_permissions(struct sql_params *params)
{
	const struct op_set *set = op_table_set();
	const char **ops, **settings;
	size_t i, n = 0;

	ops = mem_array(params->mem, set->count, sizeof(*ops));
	settings = mem_array(params->mem, set->count, sizeof(*settings));
	for (i = 0; i < set->count && !mem_failed(params->mem); i++) {
		if (set->ops[i]->permission == NULL)
			continue;
		ops[n] = set->ops[i]->name;
		settings[n++] = set->ops[i]->permission;
	}
	sql_text_array(params, ops, n);
	sql_text_array(params, settings, n);
}

static const char *
member_column(const struct start_member *m, enum column column)
{
	switch (column) {
	case COLUMN_ID:
		return m->id;
	case COLUMN_DAG:
		return m->dag;
	case COLUMN_CONTEXT:
		return m->context;
	case COLUMN_METADATA:
		return m->metadata;
	case COLUMN_USER:
		return m->user;
	case COLUMN_PRIORITY:
		return m->priority;
	case COLUMN_CREDENTIAL:
		return m->credential;
	case COLUMN_ADDRESS:
		return m->address;
	case COLUMN_COUNT:
		break;
	}
	abort();
}

static void
column_put(struct start_batch *b, enum column column)
{
	const char **items = mem_array(&b->mem, b->count, sizeof(*items));
	unsigned i;

	for (i = 0; items != NULL && i < b->count; i++)
		items[i] = member_column(&b->members[i], column);
	if (items != NULL) /* else mem tells */
		sql_text_array(&b->params, items, b->count);
}

/* The first columns of all members, as arrays; one_dag: their DAG is the same,
 * and no array. */
static void
columns_put(struct start_batch *b, unsigned columns, bool one_dag)
{
	unsigned c;

	memset(&b->params, 0, sizeof(b->params));
	b->params.mem = &b->mem;
	sql_uuid(&b->params, &b->organization);
	for (c = 0; c < columns; c++)
		if (c == COLUMN_DAG && one_dag)
			sql_text(&b->params, b->members[0].dag);
		else
			column_put(b, (enum column)c);
}

static bool
is_of_one_dag(const struct start_batch *b)
{
	unsigned i;

	for (i = 1; i < b->count; i++)
		if (strcmp(b->members[i].dag, b->members[0].dag) != 0)
			return false;
	return true;
}

/* --- outcomes ------------------------------------------------------------- */

static void
member_abandon(struct start_member *m)
{
	if (m->reserved)
		exec_abandon(server.exec, m->run);
	m->reserved = false;
}

/* The flow answers the query's error itself. */
static void
member_failed(struct start_member *m, const struct query *q)
{
	struct flow *f = m->flow;

	member_abandon(m);
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

	if (b->state == STARTING && b->query.outcome == QUERY_LOST)
		recovery_suspect();
	for (i = 0; i < b->count; i++)
		member_failed(&b->members[i], &b->query);
	batch_free(b);
}

/* -1: the batch is over. */
static int
batch_submit(
    struct start_batch *b, const struct sql *sql, void (*done)(struct query *))
{
	b->query.sql = sql;
	b->query.params = &b->params;
	b->query.actor = b->actor;
	b->query.planned_once = sql != &SQL_START_REFUSED;
	b->query.done = done;
	b->query.arg = b;
	b->query.outcome = QUERY_UNAVAILABLE;
	atomic_fetch_add(&server.mine->queries, 1);
	if (!mem_failed(&b->mem) && query_submit(POOL_API, &b->query) == 0)
		return 0;
	atomic_fetch_add(&server.mine->query_failures, 1);
	batch_fail(b);
	return -1;
}

static int
batch_start(struct start_batch *b)
{
	bool one_dag = is_of_one_dag(b);

	b->state = STARTING;
	columns_put(b, COLUMN_COUNT, one_dag);
	sql_uuid(&b->params, &server.id);
	start_permissions(&b->params);
	sql_int(&b->params, lease_epoch());
	return batch_submit(b, one_dag ? &SQL_START_DAG : &SQL_START, started);
}

static void
batch_explain(struct start_batch *b)
{
	b->state = EXPLAINING;
	query_clear(&b->query);
	columns_put(b, COLUMN_DAG + 1, false);
	start_permissions(&b->params);
	(void)batch_submit(b, &SQL_START_REFUSED, explained);
}

/* One at a time, the oldest first; without a database all of them fail. */
static void
start_next(const struct uuid *organization)
{
	struct start_batch *b, *oldest;

	do {
		oldest = NULL;
		for (b = batches; b != NULL; b = b->next) {
			if (!uuid_equal(&b->organization, organization))
				continue;
			if (b->state == STARTING)
				return;
			if (b->state == COLLECTING)
				oldest = b;
		}
	} while (oldest != NULL && batch_start(oldest) != 0);
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
	size_t len;

	m->reserved = false;
	atomic_fetch_add(&server.mine->started, 1);
	bytes = sql_get_bytes(rows, row, 2, &b->mem, &len);
	if (bytes == NULL || len != sizeof(hash.bytes)) {
		recovery_plan(&m->execution, m->run);
		return;
	}
	memcpy(hash.bytes, bytes, len);
	handoff(&m->execution, m->run, &hash);
}

static void
member_started(struct start_batch *b, struct start_member *m, int row)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)b->query.result;
	struct flow *f = m->flow;
	struct started *s;

	member_commit(b, m, row);
	if (f == NULL)
		return;
	s = &f->start.started;
	s->outcome = STARTED;
	s->execution = m->execution;
	sql_get_uuid(rows, row, 1, &s->version);
	s->total_nodes = (int32_t)sql_get_int(rows, row, 3);
	s->inserted_at = mem_strdup(&f->mem, sql_get(rows, row, 4));
	s->priority = (int32_t)sql_get_int(rows, row, 5);
	f->start.waiting = false;
	m->flow = NULL;
	flow_wake(f);
}

/* One bad context must not fail the others: each by itself. */
static bool
batch_split(struct start_batch *b)
{
	struct start_batch *one;
	struct start_member *m;
	unsigned i;

	if (b->count < 2 || !query_refused(&b->query))
		return false;
	for (i = 0; i < b->count; i++) {
		if ((one = batch_new(&b->organization)) == NULL) {
			member_failed(&b->members[i], &b->query);
			continue;
		}
		one->count = 1;
		m = &one->members[0];
		*m = b->members[i];
		m->context = mem_strdup(&one->mem, m->context);
		m->metadata = mem_strdup(&one->mem, m->metadata);
		if (m->flow != NULL)
			m->flow->start.batch = one;
		(void)batch_start(one);
	}
	batch_free(b);
	return true;
}

/* Those without a row stay in the batch. */
static void
keep_refused(struct start_batch *b)
{
	unsigned i, kept = 0;

	for (i = 0; i < b->count; i++) {
		member_abandon(&b->members[i]);
		if (b->members[i].flow != NULL)
			b->members[kept++] = b->members[i];
	}
	b->count = kept;
}

static void
started(struct query *q)
{
	struct start_batch *b = q->arg;
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct uuid organization = b->organization, id;
	struct start_member *m;
	int row;

	if (q->outcome != QUERY_OK) {
		(void)lease_refused(q);
		if (!batch_split(b))
			batch_fail(b);
		start_next(&organization);
		return;
	}
	for (row = 0; row < sql_count(rows); row++)
		if (sql_get_uuid(rows, row, 0, &id) &&
		    (m = member_find(b, &id)) != NULL)
			member_started(b, m, row);
	keep_refused(b);
	if (b->count > 0)
		batch_explain(b);
	else
		batch_free(b);
	start_next(&organization);
}

static void
member_refused(struct start_member *m, const struct sql_rows *rows, int row)
{
	struct flow *f = m->flow;

	if (f == NULL)
		return;
	if (!sql_get_bool(rows, row, 1))
		f->start.started.outcome = START_NO_DAG;
	else if (sql_get_bool(rows, row, 2) && sql_get_bool(rows, row, 3))
		f->start.started.outcome = START_NOT_ALLOWED;
	else if (sql_get_bool(rows, row, 2) && !sql_is_null(rows, row, 4)) {
		f->start.started.outcome = START_NO_POOL;
		f->start.started.pool =
		    mem_strdup(&f->mem, sql_get(rows, row, 4));
	} else
		f->start.started.outcome = START_NOT_ACTIVE;
	f->start.waiting = false;
	m->flow = NULL;
	flow_wake(f);
}

static void
explained(struct query *q)
{
	struct start_batch *b = q->arg;
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct start_member *m;
	struct uuid id;
	int row;

	for (row = 0; q->outcome == QUERY_OK && row < sql_count(rows); row++)
		if (sql_get_uuid(rows, row, 0, &id) &&
		    (m = member_find(b, &id)) != NULL)
			member_refused(m, rows, row);
	if (q->outcome == QUERY_OK)
		batch_free(b);
	else
		batch_fail(b);
}

/* --- flows ---------------------------------------------------------------- */

static unsigned
allowed(const struct json *settings)
{
	const struct json *private =
	    json_get(settings, "allow_private_addresses");

	return private != NULL && private->type == JSON_TRUE
		   ? ALLOW_PRIVATE_ADDRESSES
		   : 0;
}

/* Nothing was written, so it can be asked again. */
static enum flow_next
quota_exceeded(struct flow *f, unsigned quotas)
{
	if (quotas & QUOTA_COMPUTE)
		return flow_fail(f, 429, "compute_quota_exceeded",
		    "The organization has used up its compute_quota of this "
		    "month. Executions start again next month, or when the "
		    "quota is raised.");
	return flow_fail(f, 429, "storage_quota_exceeded",
	    "The organization has used up its storage_quota. Executions start "
	    "again when old history is gone, or when the quota is raised.");
}

static enum flow_next
reserve(
    struct flow *f, const struct start_request *request, struct start_member *m)
{
	struct run_start start = {.child = false};
	unsigned refused;
	struct err e;

	refused = limits_tell(&f->actor);
	if (refused != 0)
		return quota_exceeded(f, refused);
	m->execution = uuid_execution();
	start.execution = m->execution;
	start.organization = f->actor.organization;
	start.allowed = allowed(f->actor.settings);
	start.priority_given = request->priority_given;
	start.priority = request->priority;
	start.context = request->context;
	start.context_len = request->context_len;
	err_clear(&e);
	m->reserved = exec_reserve(server.exec, &start, &m->run, &e) == 0;
	if (m->reserved)
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
	uuid_format(&f->actor.token, m->credential);
	snprintf(m->address, sizeof(m->address), "%s", flow_address(f));
	if (request->priority_given)
		snprintf(
		    m->priority, sizeof(m->priority), "%d", request->priority);
	m->context =
	    mem_strndup(&b->mem, request->context, request->context_len);
	m->metadata =
	    mem_strndup(&b->mem, request->metadata, request->metadata_len);
}

enum flow_next
flow_start(struct flow *f, const struct start_request *request)
{
	struct start_member member = {.flow = NULL};
	struct start_batch *b;
	enum flow_next next;

	if (lease_epoch() == 0)
		return flow_fail(f, 503, "server_not_ready",
		    "This server can't start executions now; try again soon.");
	if ((next = reserve(f, request, &member)) != FLOW_NEXT)
		return next;
	b = batch_find(&f->actor.organization, COLLECTING);
	if ((b == NULL || b->count == BATCH_MAX) &&
	    (b = batch_new(&f->actor.organization)) == NULL) {
		member_abandon(&member);
		return flow_fail(
		    f, 500, "out_of_memory", "The server ran out of memory.");
	}
	member_fill(b, &member, f, request);
	b->members[b->count++] = member;
	f->start.waiting = true;
	f->start.batch = b;
	start_next(&f->actor.organization);
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

/* What was not sent yet is not started. */
void
start_forget(struct flow *f)
{
	struct start_batch *b = f->start.batch;
	unsigned i;

	f->start.waiting = false;
	for (i = 0; i < b->count && b->members[i].flow != f; i++)
		;
	if (i == b->count)
		return;
	b->members[i].flow = NULL;
	if (b->state != COLLECTING)
		return;
	member_abandon(&b->members[i]);
	b->members[i] = b->members[--b->count];
	if (b->count == 0)
		batch_free(b);
}
