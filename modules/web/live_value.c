/* live_value.c - one table of fields for each of the two types. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dag/json.h"
#include "web/live_value.h"

/* --- life ----------------------------------------------------------------- */

static struct live_value *
value_new(uint32_t node)
{
	struct live_value *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	mem_create(&v->mem, 0);
	v->references = 1;
	v->node = node;
	return v;
}

struct live_value *
live_value_hold(struct live_value *v)
{
	v->references++;
	return v;
}

void
live_value_release(struct live_value *v)
{
	if (v == NULL || --v->references > 0)
		return;
	mem_destroy(&v->mem);
	free(v);
}

/* Itself if nothing failed. */
static struct live_value *
whole(struct live_value *v, bool good)
{
	if (good && !mem_failed(&v->mem))
		return v;
	live_value_release(v);
	return NULL;
}

/* --- from shared memory --------------------------------------------------- */

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct live_value *
live_value_run(struct exec *exec, struct run_ref ref)
{
	struct live_value *v = value_new(LIVE_RUN);

	if (v == NULL)
		return NULL;
	if (!live_view_run(exec, ref, &v->mem, &v->run))
		return whole(v, false);
	v->execution = v->run.execution;
	v->organization = v->run.organization;
	v->time_us = later(v->run.started_us, v->run.completed_us);
	return whole(v, true);
}

struct live_value *
live_value_node(
    struct exec *exec, struct run_ref ref, uint32_t node, bool texts)
{
	struct live_value *v = value_new(node);

	if (v == NULL)
		return NULL;
	if (!live_view_run(exec, ref, &v->mem, &v->run) ||
	    !live_view_node(exec, ref, node, texts, &v->mem, &v->state))
		return whole(v, false);
	v->execution = v->run.execution;
	v->organization = v->run.organization;
	v->time_us = later(v->state.started_us, v->state.completed_us);
	return whole(v, true);
}

/* --- from rows ------------------------------------------------------------ */

static struct live_text
text_of(struct mem *m, const struct sql_rows *rows, int row, int column)
{
	struct live_text t = {NULL, 0};

	if (sql_is_null(rows, row, column))
		return t;
	t.len = sql_get_len(rows, row, column);
	t.text = mem_strndup(m, sql_get(rows, row, column), t.len);
	return t;
}

static int
status_of(const char *name, bool of_node)
{
	int i, n = of_node ? LIVE_CANCELLED : RUN_CANCELLED;

	for (i = 0; i <= n; i++)
		if (strcmp(name,
			of_node
			    ? live_node_status_name((enum live_node_status)i)
			    : live_run_status_name((enum run_status)i)) == 0)
			return i;
	return -1;
}

struct live_value *
live_value_run_row(const struct sql_rows *r, int row)
{
	struct live_value *v = value_new(LIVE_RUN);
	int status = status_of(sql_get(r, row, 2), false);

	if (v == NULL)
		return NULL;
	v->run.status = (enum run_status)status;
	v->run.started_us = sql_get_int(r, row, 3);
	v->run.completed_us = sql_get_int(r, row, 4);
	v->time_us = later(sql_get_int(r, row, 5),
	    later(v->run.started_us, v->run.completed_us));
	v->run.paused = sql_get_bool(r, row, 6);
	v->run.total = (uint32_t)sql_get_int(r, row, 7);
	v->run.succeeded = (uint32_t)sql_get_int(r, row, 8);
	v->run.failed = (uint32_t)sql_get_int(r, row, 9);
	v->run.result = text_of(&v->mem, r, row, 10);
	v->run.error = text_of(&v->mem, r, row, 11);
	return whole(v, status >= 0 && sql_get_uuid(r, row, 0, &v->execution) &&
			    sql_get_uuid(r, row, 1, &v->organization));
}

struct live_value *
live_value_node_row(const struct sql_rows *r, int row,
    const struct uuid *execution, const struct uuid *organization)
{
	struct live_value *v = value_new((uint32_t)sql_get_int(r, row, 0));
	int status = status_of(sql_get(r, row, 2), true);

	if (v == NULL)
		return NULL;
	v->execution = *execution;
	v->organization = *organization;
	v->state.status = (enum live_node_status)status;
	v->state.name = text_of(&v->mem, r, row, 1);
	v->state.attempts = (unsigned)sql_get_int(r, row, 3);
	v->state.started_us = sql_get_int(r, row, 4);
	v->state.completed_us = sql_get_int(r, row, 5);
	v->state.result = text_of(&v->mem, r, row, 6);
	v->state.error = text_of(&v->mem, r, row, 7);
	v->state.log = text_of(&v->mem, r, row, 8);
	v->time_us = later(v->state.started_us, v->state.completed_us);
	return whole(v, status >= 0);
}

bool
live_value_final(const struct live_value *v)
{
	return v->node == LIVE_RUN && v->run.status > RUN_RUNNING;
}

/* --- fields --------------------------------------------------------------- */

static void
write_uuid(struct buf *b, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	json_write_string(b, text, strlen(text));
}

static void
write_time(struct buf *b, int64_t us)
{
	char text[TIME_TEXT];
	size_t len;

	if (us == 0) {
		buf_puts(b, "null");
		return;
	}
	time_format(us, text);
	len = strlen(text) - 1; /* without the Z */
	/* As PostgreSQL prints it: no zeros at the fraction's end. */
	while (text[len - 1] == '0' && strchr(text, '.') != NULL)
		len--;
	len -= text[len - 1] == '.';
	text[len++] = 'Z';
	json_write_string(b, text, len);
}

static void
write_text(struct buf *b, struct live_text t)
{
	if (t.text == NULL)
		buf_puts(b, "null");
	else
		json_write_string(b, t.text, t.len);
}

static void
write_json(struct buf *b, struct live_text t)
{
	if (t.text == NULL)
		buf_puts(b, "null");
	else
		buf_put(b, t.text, t.len);
}

/* An enum's value. */
static void
write_capitals(struct buf *b, const char *name)
{
	buf_putc(b, '"');
	for (; *name != '\0'; name++)
		buf_putc(b, (char)toupper((unsigned char)*name));
	buf_putc(b, '"');
}

#define FIELD(type, name)                                                      \
	static void type##_##name(struct buf *b, const struct live_value *v)

FIELD(run, typename)
{
	(void)v;
	buf_puts(b, "\"Execution\"");
}
FIELD(run, id)
{
	write_uuid(b, &v->execution);
}
FIELD(run, status)
{
	write_capitals(b, live_run_status_name(v->run.status));
}
FIELD(run, started)
{
	write_time(b, v->run.started_us);
}
FIELD(run, completed)
{
	write_time(b, v->run.completed_us);
}
FIELD(run, total)
{
	buf_u64(b, v->run.total);
}
FIELD(run, succeeded)
{
	buf_u64(b, v->run.succeeded);
}
FIELD(run, failed)
{
	buf_u64(b, v->run.failed);
}
FIELD(run, result)
{
	write_json(b, v->run.result);
}
FIELD(run, error)
{
	write_text(b, v->run.error);
}
FIELD(node, typename)
{
	(void)v;
	buf_puts(b, "\"NodeExecution\"");
}
FIELD(node, id)
{
	struct uuid id = uuid_node_execution(&v->execution, v->node);

	write_uuid(b, &id);
}
FIELD(node, index)
{
	buf_u64(b, v->node);
}
FIELD(node, name)
{
	write_text(b, v->state.name);
}
FIELD(node, status)
{
	write_capitals(b, live_node_status_name(v->state.status));
}
FIELD(node, started)
{
	write_time(b, v->state.started_us);
}
FIELD(node, completed)
{
	write_time(b, v->state.completed_us);
}
FIELD(node, retries)
{
	buf_u64(b, v->state.attempts > 0 ? v->state.attempts - 1 : 0);
}
FIELD(node, result)
{
	write_json(b, v->state.result);
}
FIELD(node, error)
{
	write_text(b, v->state.error);
}
FIELD(node, log)
{
	write_text(b, v->state.log);
}

struct live_field {
	const char *name;
	void (*write)(struct buf *, const struct live_value *);
	bool text;
};

static const struct live_field run_fields[] = {
    {"__typename", run_typename, false},
    {"id", run_id, false},
    {"status", run_status, false},
    {"startedAt", run_started, false},
    {"completedAt", run_completed, false},
    {"totalNodes", run_total, false},
    {"succeededNodes", run_succeeded, false},
    {"failedNodes", run_failed, false},
    {"result", run_result, false},
    {"errorMessage", run_error, false},
    {NULL, NULL, false},
};

static const struct live_field node_fields[] = {
    {"__typename", node_typename, false},
    {"id", node_id, false},
    {"executionId", run_id, false},
    {"nodeIndex", node_index, false},
    {"nodeName", node_name, true},
    {"status", node_status, false},
    {"startedAt", node_started, false},
    {"completedAt", node_completed, false},
    {"retryCount", node_retries, false},
    {"result", node_result, true},
    {"error", node_error, true},
    {"log", node_log, true},
    {NULL, NULL, false},
};

static const struct live_field *
field_of(bool of_node, const char *name)
{
	const struct live_field *f = of_node ? node_fields : run_fields;

	for (; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

bool
live_field_known(bool of_node, const char *name, bool *text)
{
	const struct live_field *f = field_of(of_node, name);

	if (f != NULL && f->text)
		*text = true;
	return f != NULL;
}

void
live_field_write(const struct live_value *v, const char *name, struct buf *b)
{
	field_of(v->node != LIVE_RUN, name)->write(b, v);
}
