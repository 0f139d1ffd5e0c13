/* operation.c - a call, and what follows when it subscribed. */
#include <stdlib.h>
#include <string.h>

#include "dag/json.h"
#include "web/operation.h"
#include "web/subscription.h"

struct operation {
	const struct operation_events *events;
	void *arg;
	struct call *call; /* NULL: answered */
	struct live_request request;
	char body[];
};

static void
operation_free(struct operation *o)
{
	if (o->call != NULL)
		call_forget(o->call);
	if (o->request.subscriber != NULL)
		subscription_leave(o->request.subscriber);
	free(o->request.plan);
	free(o);
}

void
operation_end(struct operation *o)
{
	operation_free(o);
}

/* --- errors --------------------------------------------------------------- */

static void
error_put(struct buf *b, const struct json *e)
{
	const struct json *detail = json_get(e, "detail");
	const struct json *code = json_get(e, "code");

	if (json_get(e, "message") != NULL) {
		json_write(b, e);
		return;
	}
	if (detail == NULL)
		detail = json_get(e, "title");
	buf_puts(b, "{\"message\":");
	if (detail != NULL && detail->type == JSON_STRING)
		json_write(b, detail);
	else
		buf_puts(b, "\"The request failed.\"");
	if (code != NULL && code->type == JSON_STRING) {
		buf_puts(b, ",\"extensions\":{\"code\":");
		json_write(b, code);
		buf_putc(b, '}');
	}
	buf_putc(b, '}');
}

void
operation_errors(struct buf *b, const char *body, size_t len)
{
	const struct json *root = NULL, *errors = NULL;
	struct mem m;
	struct err e;
	uint32_t i;

	mem_create(&m, 0);
	err_clear(&e);
	if (json_parse(&m, body, len, NULL, &root, &e) == 0)
		errors = json_get(root, "errors");
	if (errors == NULL || errors->type != JSON_ARRAY ||
	    errors->count == 0) {
		buf_puts(b, "[{\"message\":\"The server came to no answer.\","
			    "\"extensions\":{\"code\":\"internal\"}}]");
	} else {
		buf_putc(b, '[');
		for (i = 0; i < errors->count; i++) {
			if (i > 0)
				buf_putc(b, ',');
			error_put(b, errors->items[i]);
		}
		buf_putc(b, ']');
	}
	mem_destroy(&m);
}

/* --- answers -------------------------------------------------------------- */

static void
subscription_next(void *arg, const char *payload, size_t len)
{
	struct operation *o = arg;

	o->events->next(o->arg, payload, len);
}

static void
subscription_ended(void *arg)
{
	struct operation *o = arg;
	const struct operation_events *events = o->events;
	void *whose = o->arg;

	o->request.subscriber = NULL;
	operation_free(o);
	events->complete(whose);
}

static const struct subscriber_events subscription_events = {
    subscription_next, subscription_ended};

/* Whether an answer tells what executing came to. */
static bool
was_executed(const char *body, size_t len)
{
	const struct json *root;
	struct mem m;
	struct err e;
	bool data;

	mem_create(&m, 0);
	err_clear(&e);
	data = json_parse(&m, body, len, NULL, &root, &e) == 0 &&
	       json_get(root, "data") != NULL;
	mem_destroy(&m);
	return data;
}

static void
done(void *arg, int status, const char *body, size_t len)
{
	struct operation *o = arg;
	const struct operation_events *events = o->events;
	void *whose = o->arg;
	struct buf b;

	o->call = NULL;
	if (o->request.subscriber != NULL)
		return;
	operation_free(o);
	if (status == 401) {
		events->refused(whose);
	} else if (was_executed(body, len)) {
		events->next(whose, body, len);
		events->complete(whose);
	} else {
		buf_create(&b, 0);
		operation_errors(&b, body, len);
		events->error(whose, b.data == NULL ? "[]" : b.data,
		    b.data == NULL ? 2 : b.len);
		buf_free(&b);
	}
}

struct operation *
operation_start(const struct call_origin *origin, const char *body, size_t len,
    const struct operation_events *events, void *arg)
{
	struct operation *o = calloc(1, sizeof(*o) + len);
	struct call_request r = {.from = origin,
	    .method = "POST",
	    .path = "/graphql",
	    .accept = "application/json",
	    .content_type = "application/json",
	    .body_len = len,
	    .done = done};

	if (o == NULL)
		return NULL;
	memcpy(o->body, body, len);
	o->events = events;
	o->arg = arg;
	o->request = (struct live_request){.purpose = LIVE_OPERATION,
	    .origin = origin,
	    .body = o->body,
	    .body_len = len,
	    .events = &subscription_events,
	    .arg = o};
	r.body = o->body;
	r.subject = &o->request;
	r.arg = o;
	if ((o->call = call_start(&r)) == NULL) {
		free(o);
		return NULL;
	}
	return o;
}
