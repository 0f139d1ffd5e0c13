/* reply.c - answers: JSON:API error objects, bodies, and the headers that every
 * answer carries. */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag/json.h"
#include "web/error_body.h"
#include "web/origin.h"
#include "web/receive.h"
#include "web/request.h"

#define JSON_API     "application/vnd.api+json"
#define GRAPHQL_JSON "application/graphql-response+json"

/* Each once: Kore would send a repeated header twice. */
static const char *const always[][2] = {
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "DENY"},
    {"referrer-policy", "no-referrer"},
    {"cache-control", "no-store"},
};

#define NOTHING "default-src 'none'; frame-ancestors 'none'"
/* A page's own files and nothing else: no script or style in its text. */
#define OWN_FILES                                                              \
	"default-src 'none'; script-src 'self'; style-src 'self'; "            \
	"connect-src 'self'; img-src 'self' data:; base-uri 'none'; "          \
	"form-action 'none'; "                                                 \
	"frame-ancestors 'none'"

static void
headers(struct flow *f, int status, const char *type, const char *location,
    const char *policy)
{
	size_t i;

	if (flow_is_call(f))
		return;
	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		http_response_header(f->req, always[i][0], always[i][1]);
	http_response_header(f->req, "content-security-policy", policy);
	if (f->req->owner->owner != NULL &&
	    ((struct listener *)f->req->owner->owner)->server->tls)
		http_response_header(
		    f->req, "strict-transport-security", "max-age=31536000");
	origin_headers(f);
	if (type != NULL)
		http_response_header(f->req, "content-type", type);
	if (location != NULL)
		http_response_header(f->req, "location", location);
	if (status == 503)
		http_response_header(f->req, "retry-after", "1");
}

static enum flow_next
answer(struct flow *f, int status, const void *body, size_t len)
{
	f->answered = true;
	f->phase = PHASE_ANSWERED;
	f->req->status = (u_int16_t)status;
	if (flow_is_call(f))
		call_answered(call_of(f->req), status, body, len);
	else
		receive_answer(f->req, status, body, len);
	return FLOW_DONE;
}

enum flow_next
flow_reply(struct flow *f, int status, struct buf *body,
    const char *content_type, const char *location)
{
	char *data;
	size_t len = 0;

	if ((data = buf_take(body, &len)) == NULL)
		return flow_fail(f, 500, "out_of_memory",
		    "The answer needs more memory than the server has.");
	headers(f, status, content_type == NULL ? JSON_API : content_type,
	    location, NOTHING);
	answer(f, status, data, len);
	free(data);
	return FLOW_DONE;
}

enum flow_next
flow_reply_page(
    struct flow *f, const void *body, size_t len, const char *content_type)
{
	headers(f, 200, content_type, NULL, OWN_FILES);
	return answer(f, 200, body, len);
}

enum flow_next
flow_reply_empty(struct flow *f, int status)
{
	headers(f, status, NULL, NULL, NOTHING);
	return answer(f, status, NULL, 0);
}

/* In the form of the API that was asked. */
static const char *
error_type(struct flow *f)
{
	const char *accept;

	if (f->action != POLICY_GRAPHQL)
		return JSON_API;
	accept = flow_header(f, "accept");
	return accept != NULL && strstr(accept, GRAPHQL_JSON) != NULL
		   ? GRAPHQL_JSON "; charset=utf-8"
		   : "application/json; charset=utf-8";
}

static enum flow_next
reply_errors(struct flow *f, int status, struct buf *b)
{
	static const char fallback[] =
	    "{\"errors\":[{\"status\":\"500\",\"code\":\"out_of_memory\","
	    "\"title\":\"Out of memory\"}]}";

	headers(f, buf_failed(b) ? 500 : status, error_type(f), NULL, NOTHING);
	if (buf_failed(b))
		answer(f, 500, fallback, sizeof(fallback) - 1);
	else
		answer(f, status, b->data, b->len);
	buf_free(b);
	return FLOW_DONE;
}

static enum flow_next
fail(struct flow *f, int status, const struct error_object *o, const char *fmt,
    va_list args)
{
	struct error_object object = *o;
	char detail[ERR_MESSAGE_MAX];
	struct buf b;

	vsnprintf(detail, sizeof(detail), fmt, args);
	object.detail = detail;
	buf_create(&b, 0);
	if (f->action == POLICY_GRAPHQL) {
		error_body_graphql(&b, &object);
	} else {
		error_body_begin(&b);
		error_body_add(&b, status, &object);
		error_body_end(&b);
	}
	snprintf(f->failure, sizeof(f->failure), "%s", object.code);
	return reply_errors(f, status, &b);
}

enum flow_next
flow_fail(
    struct flow *f, int status, const char *code, const char *detail_fmt, ...)
{
	struct error_object o = {.code = code};
	enum flow_next next;
	va_list args;

	va_start(args, detail_fmt);
	next = fail(f, status, &o, detail_fmt, args);
	va_end(args);
	return next;
}

enum flow_next
flow_fail_at(struct flow *f, int status, const char *code, const char *pointer,
    const char *parameter, const char *detail_fmt, ...)
{
	struct error_object o = {
	    .code = code, .pointer = pointer, .parameter = parameter};
	enum flow_next next;
	va_list args;

	va_start(args, detail_fmt);
	next = fail(f, status, &o, detail_fmt, args);
	va_end(args);
	return next;
}

enum flow_next
flow_fail_faults(struct flow *f, int status, const struct faults *faults,
    const char *pointer_prefix)
{
	struct buf b;

	buf_create(&b, 0);
	error_body_faults(&b, status, faults, pointer_prefix);
	return reply_errors(f, status, &b);
}

void
flow_answer_header(struct flow *f, const char *name, const char *value)
{
	http_response_header(f->req, name, value);
}
