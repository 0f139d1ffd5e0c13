/* host_params.c - rules for the parameters of ops wait_for and dag. */
#include "exec/host_params.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static int
fault(struct err *e, const char *pointer, const char *message)
{
	err_set(e, "invalid_parameter", "%s", message);
	if (e != NULL)
		snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	return -1;
}

/* A text whose value is not known yet. */
static bool
later(bool templates, const struct json *v)
{
	return templates && v->type == JSON_STRING &&
	       memmem(v->string, v->count, "${{", 3) != NULL;
}

static bool
is_signal_name(const struct json *v)
{
	return v->type == JSON_STRING && v->count >= 1 &&
	       v->count <= SIGNAL_NAME_MAX &&
	       strspn(v->string,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789_-") == v->count;
}

static int
read_signal(const struct json *v, bool templates, struct host_params *out,
    struct err *e)
{
	if (v == NULL || later(templates, v))
		return 0;
	if (!is_signal_name(v))
		return fault(e, "/signal",
		    "signal must be a name of 1 to 64 letters, digits, _ and "
		    "-.");
	out->name = v->string;
	return 0;
}

static int
read_until(const struct json *v, bool templates, struct host_params *out,
    struct err *e)
{
	if (v == NULL || later(templates, v))
		return 0;
	if (v->type == JSON_STRING &&
	    time_parse(v->string, v->count, &out->until_us))
		return 0;
	return fault(
	    e, "/until", "until must be a time like 2030-12-31T23:59:59Z.");
}

static int
read_timeout(const struct json *v, bool templates, struct host_params *out,
    struct err *e)
{
	if (v == NULL || later(templates, v))
		return 0;
	if (v->type == JSON_STRING &&
	    duration_parse(v->string, v->count, &out->timeout_ns))
		return 0;
	return fault(e, "/timeout",
	    "timeout must be a text like 250ms, 5s, 2m, 1h or 1d.");
}

static struct host_params
empty(enum host_kind kind)
{
	return (struct host_params){
	    .kind = kind, .until_us = INT64_MAX, .timeout_ns = INT64_MAX};
}

int
wait_for_read(const struct json *params, bool templates,
    struct host_params *out, struct err *e)
{
	const struct json *signal = json_get(params, "signal");
	const struct json *until = json_get(params, "until");

	*out = empty(HOST_SIGNAL);
	out->fallback = json_get(params, "default");
	if (signal == NULL && until == NULL)
		return fault(
		    e, "", "Either signal or until must say what to wait for.");
	if (signal == NULL && json_get(params, "timeout") != NULL)
		return fault(e, "/timeout",
		    "timeout belongs to signal; op delay waits for a "
		    "duration.");
	if (signal == NULL && out->fallback != NULL)
		return fault(e, "/default", "default belongs to signal.");
	if (read_signal(signal, templates, out, e) != 0 ||
	    read_until(until, templates, out, e) != 0)
		return -1;
	return read_timeout(json_get(params, "timeout"), templates, out, e);
}

int
child_read(const struct json *params, bool templates, struct host_params *out,
    struct err *e)
{
	const struct json *name = json_get(params, "name");
	const struct json *context = json_get(params, "context");

	*out = empty(HOST_CHILD);
	if (name == NULL || (name->type != JSON_STRING) ||
	    (!later(templates, name) &&
		(name->count < 1 || name->count > 4 * DAG_NAME_MAX)))
		return fault(e, "/name", "name must be the name of a DAG.");
	out->name = name->string;
	if (context != NULL && !later(templates, context) &&
	    context->type != JSON_OBJECT)
		return fault(e, "/context", "context must be an object.");
	out->context = context;
	return 0;
}
