/* load.c - one execution from the database into shared memory.
 *
 *   row ──► (reserve, row again) ──► history ──► plan, if missing ──► commit
 *
 * The row is read again after a slot was reserved: from then on nobody else
 * runs the execution, so what is read holds.
 */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "dag/document.h"
#include "exec/op_call.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/lease.h"
#include "web/limits.h"
#include "web/log.h"
#include "web/recovery.h"
#include "web_sql.h"

#define AT_ONCE	 4
#define RETRY_MS 500

enum step {
	STEP_ROW,
	STEP_HISTORY,
	STEP_PLAN,
	STEP_STORE,
	STEP_REFUSE
};

struct load {
	struct load *next;
	struct query query;
	struct sql_params params;
	struct mem mem;
	enum step step;
	struct uuid execution, organization, version;
	char id[UUID_TEXT];
	bool reserved;
	struct run_ref run;
	struct plan_hash hash;
	struct run_resume resume;
};

static struct load *waiting, **last = &waiting;
static struct load *later; /* until the next tick */
static unsigned active, queued;

static void advance(struct load *);
static void next_loads(void);

/* --- life ----------------------------------------------------------------- */

static void
load_free(struct load *l)
{
	query_clear(&l->query);
	mem_destroy(&l->mem);
	free(l);
}

static void
load_end(struct load *l)
{
	active--;
	load_free(l);
}

static void
enqueue(struct load *l)
{
	l->next = NULL;
	*last = l;
	last = &l->next;
}

/* From the start again, a little later; a reserved slot stays so. */
static void
load_later(struct load *l)
{
	active--;
	queued++;
	query_clear(&l->query);
	mem_reset(&l->mem);
	l->step = STEP_ROW;
	l->next = later;
	later = l;
}

static void
load_abandon(struct load *l)
{
	if (l->reserved)
		exec_abandon(server.exec, l->run);
	load_end(l);
}

void
load_execution(const struct uuid *execution, const struct run_ref *run)
{
	struct load *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		/* A reserved slot is lost until a restart; the row is not. */
		log_error("recovery: out of memory");
		if (run != NULL)
			exec_abandon(server.exec, *run);
		return;
	}
	mem_create(&l->mem, 0);
	l->execution = *execution;
	uuid_format(execution, l->id);
	l->reserved = run != NULL;
	if (run != NULL)
		l->run = *run;
	queued++;
	enqueue(l);
	next_loads();
}

unsigned
load_waiting(void)
{
	return queued + active;
}

/* --- queries -------------------------------------------------------------- */

static struct sql_params *
params_of(struct load *l)
{
	memset(&l->params, 0, sizeof(l->params));
	l->params.mem = &l->mem;
	return &l->params;
}

static const struct sql_rows *
rows_of(const struct load *l)
{
	return (const struct sql_rows *)(const void *)l->query.result;
}

static void
answered(struct query *q)
{
	struct load *l = q->arg;

	if (q->outcome != QUERY_OK) {
		if (q->outcome == QUERY_ERROR && !lease_refused(q))
			log_error("recovery: execution %s: %s %s", l->id,
			    q->sqlstate, q->message);
		load_later(l);
		return;
	}
	advance(l);
	next_loads();
}

static void
ask(struct load *l, enum step step, const struct sql *sql)
{
	query_clear(&l->query);
	l->step = step;
	l->query.sql = sql;
	l->query.params = &l->params;
	l->query.done = answered;
	l->query.arg = l;
	if (mem_failed(&l->mem) || query_submit(POOL_SYSTEM, &l->query) != 0)
		load_later(l);
}

/* The execution can never run: say so in its row. */
static void
refuse(struct load *l, const char *why)
{
	struct sql_params *p = params_of(l);

	log_error("recovery: execution %s can't run: %s", l->id, why);
	sql_uuid(p, &l->execution);
	sql_text(p, mem_strdup(&l->mem, why));
	sql_uuid(p, &server.id);
	sql_int(p, lease_epoch());
	ask(l, STEP_REFUSE, &SQL_EXECUTION_REFUSE);
}

/* --- steps ---------------------------------------------------------------- */

static void
step_row(struct load *l)
{
	struct sql_params *p = params_of(l);

	sql_uuid(p, &l->execution);
	sql_uuid(p, &server.id);
	ask(l, STEP_ROW, &SQL_EXECUTION_LOAD);
}

/* Whoever set a limit or a pool and then started this execution is right. */
static void
learn_limits(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	const struct json *settings;
	struct err e;

	err_clear(&e);
	if (json_parse(&l->mem, sql_get(r, 0, 11), sql_get_len(r, 0, 11), NULL,
		&settings, &e) == 0)
		limits_learn(&l->organization, settings);
}

/* True: reserved. The context goes to the arena in canonical form. */
static bool
reserve(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	struct run_start start = {.child = sql_get_bool(r, 0, 10)};
	const struct json *context;
	struct buf text;
	struct err e;
	int rc;

	err_clear(&e);
	if (json_parse(&l->mem, sql_get(r, 0, 6), sql_get_len(r, 0, 6), NULL,
		&context, &e) != 0) {
		refuse(l, e.message);
		return false;
	}
	buf_create(&text, 0);
	json_write_canonical(&text, context);
	start.execution = l->execution;
	start.organization = l->organization;
	start.allowed = sql_get_bool(r, 0, 7) ? ALLOW_PRIVATE_ADDRESSES : 0;
	start.priority_given = true;
	start.priority = (int)sql_get_int(r, 0, 9);
	start.context = text.data;
	start.context_len = text.len;
	rc = buf_failed(&text) ? -1
			       : exec_reserve(server.exec, &start, &l->run, &e);
	buf_free(&text);
	l->reserved = rc == 0;
	if (!l->reserved)
		load_later(l); /* the executor is full */
	return l->reserved;
}

static void
got_row(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	struct run_ref run;
	const void *hash;
	size_t len;

	if (sql_count(r) == 0 || !sql_get_bool(r, 0, 1)) {
		load_abandon(l);
		return;
	}
	sql_get_uuid(r, 0, 0, &l->organization);
	if (!l->reserved) {
		if (exec_find(server.exec, &l->execution, &run))
			load_end(l);
		else if (reserve(l))
			step_row(l);
		return;
	}
	learn_limits(l);
	l->resume.started_us = sql_get_int(r, 0, 2);
	l->resume.cancel = sql_get_bool(r, 0, 3);
	l->resume.paused = sql_get_bool(r, 0, 8);
	sql_get_uuid(r, 0, 4, &l->version);
	memset(&l->hash, 0, sizeof(l->hash));
	hash = sql_get_bytes(r, 0, 5, &l->mem, &len);
	if (hash != NULL && len == sizeof(l->hash.bytes))
		memcpy(l->hash.bytes, hash, len);
	sql_uuid(params_of(l), &l->execution);
	ask(l, STEP_HISTORY, &SQL_EXECUTION_HISTORY);
}

static void
commit(struct load *l)
{
	struct err e;

	err_clear(&e);
	if (exec_commit(server.exec, l->run, &l->hash, &l->resume, &e) == 0) {
		atomic_fetch_add(&server.mine->adopted, 1);
		load_end(l);
	} else if (strcmp(e.code, "plan_missing") == 0) {
		sql_uuid(params_of(l), &l->version);
		ask(l, STEP_PLAN, &SQL_PLAN_LOAD);
	} else if (strcmp(e.code, "stale_run") == 0) {
		load_end(l);
	} else if (strcmp(e.code, "run_too_large") == 0 ||
		   strcmp(e.code, "corrupted_history") == 0) {
		refuse(l, e.message);
	} else {
		log_warning("recovery: execution %s: %s", l->id, e.message);
		load_later(l);
	}
}

static void
got_history(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	struct run_done *done;
	int i, n = sql_count(r);

	done = mem_array(&l->mem, (size_t)n + 1, sizeof(*done));
	if (done == NULL) {
		load_later(l);
		return;
	}
	for (i = 0; i < n; i++) {
		done[i].node = (uint32_t)sql_get_int(r, i, 0);
		done[i].element = (uint32_t)sql_get_int(r, i, 1);
		done[i].kind = (enum event_kind)sql_get(r, i, 2)[0];
		done[i].attempts = (uint16_t)sql_get_int(r, i, 3);
		done[i].started_us = sql_get_int(r, i, 4);
		done[i].completed_us = sql_get_int(r, i, 5);
		if (sql_is_null(r, i, 6))
			continue;
		done[i].result_len = sql_get_len(r, i, 6);
		done[i].result =
		    mem_strndup(&l->mem, sql_get(r, i, 6), done[i].result_len);
	}
	l->resume.count = (uint32_t)n;
	l->resume.done = done;
	if (mem_failed(&l->mem))
		load_later(l);
	else
		commit(l);
}

/* --- plans ---------------------------------------------------------------- */

/* The version's definition compiled again; NULL after refusing. */
static struct plan *
compile(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	struct document_options options = {
	    .ops = op_table_set(), .limits = &server.limits};
	struct document *document;
	struct faults faults;
	struct plan *plan;
	struct err e;

	err_clear(&e);
	faults_create(&faults, &l->mem, 1);
	if (document_parse(&l->mem, DOCUMENT_JSON, sql_get(r, 0, 2),
		sql_get_len(r, 0, 2), &options, &faults, &document) != 0) {
		refuse(l, faults.kept > 0 ? faults.list[0].message
					  : "its definition can't be read");
		return NULL;
	}
	if ((plan = plan_compile(document, options.ops, &e)) == NULL)
		refuse(l, e.message);
	return plan;
}

static void
recompile(struct load *l)
{
	struct plan *plan;
	struct sql_params *p;
	struct err e;
	void *copy;
	size_t size;

	if ((plan = compile(l)) == NULL)
		return;
	size = plan->size;
	SHA256((const unsigned char *)plan, size, l->hash.bytes);
	err_clear(&e);
	if (exec_plan_put(server.exec, &l->hash, plan, size, &e) != 0 ||
	    (copy = mem_alloc(&l->mem, size)) == NULL) {
		free(plan);
		load_later(l);
		return;
	}
	memcpy(copy, plan, size);
	free(plan);
	log_warning("recovery: the plan of a version was compiled again");
	p = params_of(l);
	sql_uuid(p, &l->version);
	sql_bytes(p, copy, size);
	sql_bytes(p, l->hash.bytes, sizeof(l->hash.bytes));
	ask(l, STEP_STORE, &SQL_PLAN_STORE);
}

static void
got_plan(struct load *l)
{
	const struct sql_rows *r = rows_of(l);
	const void *plan;
	struct err e;
	size_t len;

	if (sql_count(r) == 0) {
		load_abandon(l);
		return;
	}
	err_clear(&e);
	plan = sql_get_bytes(r, 0, 0, &l->mem, &len);
	if (plan == NULL ||
	    exec_plan_put(server.exec, &l->hash, plan, len, &e) != 0) {
		if (e.code != NULL &&
		    strcmp(e.code, "shared_memory_full") == 0) {
			load_later(l);
			return;
		}
		if (e.code != NULL && strcmp(e.code, "plan_too_large") == 0) {
			refuse(l, e.message);
			return;
		}
		log_warning("recovery: version of execution %s: %s", l->id,
		    e.code == NULL ? "no plan" : e.message);
		recompile(l);
		return;
	}
	commit(l);
}

static void
advance(struct load *l)
{
	switch (l->step) {
	case STEP_ROW:
		got_row(l);
		return;
	case STEP_HISTORY:
		got_history(l);
		return;
	case STEP_PLAN:
		got_plan(l);
		return;
	case STEP_STORE:
		commit(l);
		return;
	case STEP_REFUSE:
		load_abandon(l);
		return;
	}
}

/* --- the queue ------------------------------------------------------------ */

static void
next_loads(void)
{
	struct load *l;

	while (active < AT_ONCE && (l = waiting) != NULL) {
		if ((waiting = l->next) == NULL)
			last = &waiting;
		queued--;
		active++;
		step_row(l);
	}
}

static void
tick(void *arg, u_int64_t now)
{
	struct load *l;

	(void)arg;
	(void)now;
	while ((l = later) != NULL) {
		later = l->next;
		enqueue(l);
	}
	next_loads();
}

void
load_start(void)
{
	kore_timer_add(tick, RETRY_MS, NULL, 0);
}
