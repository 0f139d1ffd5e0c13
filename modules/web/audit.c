/* audit.c - every second, the attempts that are due travel in one statement. */
#include "web/audit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "dag/json.h"
#include "web/log.h"
#include "web/refusals.h"
#include "web/request.h"
#include "web_sql.h"

#define TICK_MS	  500
#define BATCH_MAX 128

static struct {
	struct refusals refusals;
	struct refusal_row rows[BATCH_MAX];
	struct query query;
	struct sql_params params;
	struct mem mem;
	bool writing;
} state;

/* --- what a request was refused ------------------------------------------- */

static bool
is_change(const struct flow *f)
{
	return f->req->method != HTTP_METHOD_GET &&
	       f->req->method != HTTP_METHOD_HEAD;
}

static bool
is_refusal(const struct flow *f)
{
	switch (f->req->status) {
	case 401:
	case 403:
	case 429:
		return true;
	case 404:
		return is_change(f) && f->has_actor;
	default:
		return false;
	}
}

static void
copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* The type in the words of the action: "dag.update" is about a dag. */
static void
name(struct refusal *r, const struct flow *f)
{
	const struct policy *p = policy_get(f->action);

	copy(r->action, sizeof(r->action), p == NULL ? "unknown" : p->name);
	copy(r->subject_type, sizeof(r->subject_type), r->action);
	r->subject_type[strcspn(r->subject_type, ".")] = '\0';
	copy(r->outcome, sizeof(r->outcome), f->failure);
}

void
audit_answered(struct flow *f)
{
	struct refusal r;

	if (!is_refusal(f))
		return;
	memset(&r, 0, sizeof(r));
	name(&r, f);
	copy(r.address, sizeof(r.address), flow_address(f));
	if (f->has_actor) {
		r.organization = f->actor.organization;
		r.user = f->actor.user;
		r.credential = f->actor.token;
		copy(r.role, sizeof(r.role), f->actor.admin ? "admin" : "user");
		if (!flow_segment_uuid(f, 3, &r.subject))
			memset(&r.subject, 0, sizeof(r.subject));
	}
	refusals_add(&state.refusals, &r, clock_mono_ns(), clock_real_us());
}

/* --- writing -------------------------------------------------------------- */

static void
put_text(struct buf *b, const char *key, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_printf(b, ",\"%s\":", key);
	json_write_string(b, value, strlen(value));
}

static void
put_id(struct buf *b, const char *key, const struct uuid *id)
{
	char text[UUID_TEXT];

	if (uuid_is_zero(id))
		return;
	uuid_format(id, text);
	buf_printf(b, ",\"%s\":\"%s\"", key, text);
}

static void
put_row(struct buf *b, const struct refusal_row *row)
{
	const struct refusal *r = &row->what;

	buf_printf(b, "{\"at_us\":%lld,\"count\":%llu", (long long)row->at_us,
	    (unsigned long long)row->count);
	put_id(b, "organization_id", &r->organization);
	put_id(b, "user_id", &r->user);
	put_id(b, "credential_id", &r->credential);
	put_id(b, "subject_id", &r->subject);
	put_text(b, "role", r->role);
	put_text(b, "action", r->action);
	put_text(b, "subject_type", r->subject_type);
	put_text(b, "outcome", r->outcome);
	put_text(b, "address", r->address);
	buf_putc(b, '}');
}

static void
written(struct query *q)
{
	state.writing = false;
	if (q->outcome == QUERY_ERROR)
		log_error("audit: %s %s", q->sqlstate, q->message);
	else if (q->outcome != QUERY_OK)
		log_warning(
		    "audit: refused attempts were lost: %s", q->message);
	query_clear(q);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	struct database_status database;
	unsigned i, n;
	struct buf b;

	(void)arg;
	(void)now_ms;
	database_status(POOL_SYSTEM, &database);
	if (state.writing || !database.reached)
		return;
	n = refusals_due(
	    &state.refusals, clock_mono_ns(), state.rows, BATCH_MAX);
	if (n == 0)
		return;
	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	buf_create(&b, 0);
	for (i = 0; i < n; i++) {
		buf_putc(&b, i == 0 ? '[' : ',');
		put_row(&b, &state.rows[i]);
	}
	buf_putc(&b, ']');
	sql_text(&state.params,
	    buf_failed(&b) ? NULL : mem_strndup(&state.mem, b.data, b.len));
	buf_free(&b);
	state.query.sql = &SQL_AUDIT_REFUSED;
	state.query.params = &state.params;
	state.query.done = written;
	state.writing = query_submit(POOL_SYSTEM, &state.query) == 0;
}

void
audit_start(void)
{
	mem_create(&state.mem, 0);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
