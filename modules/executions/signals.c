/* signals.c - sends a signal to an execution: it is kept until a node that waits
 * for its name takes it, whether that is now or later.
 */
#include "executions/signals.h"

#include <string.h>

#include "exec/host.h"
#include "web/config.h"
#include "web/resource_body.h"

#include "executions_sql.h"

#define KEY_MAX 255
/* The node's result is the value and who sent it. */
#define RESULT_SLACK 1024

static bool
is_name(const struct json *v)
{
	return v->count >= 1 && v->count <= SIGNAL_NAME_MAX &&
	       strspn(v->string,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789_-") == v->count;
}

static bool
is_key(const char *key)
{
	size_t n = 0;

	while (key[n] > ' ' && key[n] < 0x7f)
		n++;
	return key[n] == '\0' && n >= 1 && n <= KEY_MAX;
}

/* Canonical text in the flow's memory; NULL after answering. */
static const char *
value_text(struct flow *f, const struct json *value)
{
	size_t limit = (size_t)flow_config()->result_limit - RESULT_SLACK;
	const char *text = NULL;
	struct buf b;

	if (flow_config()->result_limit < 2 * RESULT_SLACK)
		limit = (size_t)flow_config()->result_limit / 2;
	if (value == NULL)
		return "null";
	buf_create(&b, 0);
	json_write_canonical(&b, value);
	if (buf_failed(&b))
		flow_fail(f, 503, "out_of_memory", "Out of memory.");
	else if (b.len > limit)
		flow_fail_at(f, 422, "value_too_large",
		    "/data/attributes/value", NULL,
		    "The value has %zu bytes, more than %zu.", b.len, limit);
	else if ((text = mem_strndup(flow_mem(f), b.data, b.len)) == NULL)
		flow_fail(f, 503, "out_of_memory", "Out of memory.");
	buf_free(&b);
	return text;
}

/* The name and the value in the flow's memory; false: it has answered. */
static bool
read_body(struct flow *f, const char **name, const char **value)
{
	const struct json *root, *v;
	struct resource_body body;
	struct faults faults;

	if ((root = flow_json(f)) == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, &resource_signals, NULL, &faults, &body) !=
		0 ||
	    (v = resource_body_get(&body, "name")) == NULL) {
		flow_fail_faults(
		    f, body.status != 0 ? body.status : 422, &faults, "");
		return false;
	}
	if (!is_name(v)) {
		flow_fail_at(f, 422, "invalid_name", "/data/attributes/name",
		    NULL,
		    "A signal's name has 1 to %d letters, digits, _ and -.",
		    SIGNAL_NAME_MAX);
		return false;
	}
	*name = v->string;
	*value = value_text(f, resource_body_get(&body, "value"));
	return *value != NULL;
}

static enum flow_next
send_write(struct flow *f)
{
	struct signal_send *s = flow_state(f);
	const char *key = flow_header(f, "idempotency-key");
	const char *name, *value;
	struct sql_params *params;

	if (!flow_segment_uuid(f, 3, &s->execution))
		return flow_fail(f, 404, "execution_not_found",
		    "There is no such execution.");
	if (key != NULL && !is_key(key))
		return flow_fail(f, 400, "invalid_idempotency_key",
		    "Idempotency-Key has 1 to %d visible ASCII characters.",
		    KEY_MAX);
	if (!resource_check(f, &resource_signals) ||
	    !read_body(f, &name, &value))
		return FLOW_DONE;
	s->id = uuid_v7();
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_uuid(params, &s->execution);
	sql_text(params, name);
	sql_text(params, value);
	sql_uuid(params, &flow_actor(f)->user);
	sql_text(params, key);
	return flow_query(f, &SQL_SIGNAL_SEND);
}

static enum flow_next
send_answer(struct flow *f)
{
	struct signal_send *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);
	const char *status;

	if (sql_count(rows) == 0)
		return flow_fail(f, 404, "execution_not_found",
		    "There is no such execution.");
	if (!sql_get_bool(rows, 0, 5))
		return flow_fail(f, 403, "forbidden",
		    "Only who started it, its DAG's creator and admins may "
		    "send an execution signals.");
	if (!sql_get_bool(rows, 0, 2))
		return flow_fail(f, 409, "idempotency_key_reused",
		    "Another signal was sent with this Idempotency-Key.");
	if (sql_get_uuid(rows, 0, 1, &s->id))
		return resource_written(f, &resource_signals, &s->id, 201);
	status = sql_get(rows, 0, 0);
	if ((status[0] == 'p' || status[0] == 'r') && sql_get_bool(rows, 0, 3))
		return flow_fail(f, 409, "too_many_signals",
		    "The execution keeps 10,000 signals that no node has "
		    "taken.");
	if (status[0] == 'p' || status[0] == 'r')
		return flow_fail(f, 409, "idempotency_key_in_use",
		    "A request with this Idempotency-Key is under way.");
	return flow_fail(f, 409, "execution_ended",
	    "The execution has already ended: %s.", status);
}

const struct flow_step signal_send_steps[] = {
    FLOW_STEP(send_write), FLOW_STEP(send_answer), RESOURCE_STEPS, FLOW_END};
