/* http.c - GraphQL over HTTP: a request in, an answer in the media type that it
 * accepts out.
 *
 * Status: what is the server's fault, before anything was executed, is 500 or
 *         503 in either media type. What is no request at all is 400 in either media type; a document or
 *         variables that are refused are 400 in application/graphql-response+json
 *         and 200 in application/json, as its clients expect; 200 is what was
 *         executed. With the setting graphql_status_codes at draft the first
 *         media type also has 422 for what can be read but is refused, and 294 for data with errors beside it.
 */
#include "graphql/http.h"

#include <string.h>

#include "graphql/http_request.h"
#include "graphql/persisted.h"
#include "graphql/registered.h"
#include "web/graphql_sse.h"

static enum media
media(struct flow *f)
{
	return http_media(flow_header(f, "accept"));
}

static int
refused_status(struct flow *f, const struct writer *w)
{
	if (w->fault != 0)
		return w->fault;
	return http_draft(f) && !w->syntax ? 422 : 400;
}

static int
answered_status(struct flow *f, const struct writer *w)
{
	return http_draft(f) && w->error_count > 0 ? 294 : 200;
}

static enum flow_next
reply(struct flow *f, struct writer *w, int status)
{
	bool newer = media(f) == MEDIA_GRAPHQL;

	if (buf_failed(&w->out)) {
		buf_free(&w->out);
		return flow_fail(f, 500, "response_too_large",
		    "The answer is larger than the server allows.");
	}
	return flow_reply(f,
	    newer || status == 405 || status >= 500 ? status : 200, &w->out,
	    newer ? "application/graphql-response+json; charset=utf-8"
		  : "application/json; charset=utf-8",
	    NULL);
}

/* READY is the caller's. */
static enum flow_next
stop(struct flow *f, struct writer *w, enum execution_step step)
{
	const struct execution *x = flow_state(f);

	if (step == EXECUTION_REFUSED) {
		if (x->needs_post)
			flow_answer_header(f, "allow", "POST");
		return reply(f, w, x->needs_post ? 405 : refused_status(f, w));
	}
	buf_free(&w->out);
	buf_free(&w->errors);
	return step == EXECUTION_WAITS ? FLOW_WAIT : FLOW_DONE;
}

static enum flow_next
go_on(struct flow *f, struct writer *w, enum execution_step step)
{
	if (step == EXECUTION_ANSWERED)
		return reply(f, w, answered_status(f, w));
	if (step != EXECUTION_READY)
		return stop(f, w, step);
	buf_free(&w->out);
	buf_free(&w->errors);
	return FLOW_NEXT;
}

enum flow_next
http_begin(struct flow *f)
{
	struct execution *x = flow_state(f);

	if (graphql_sse_wanted(f) && strcmp(flow_method(f), "POST") == 0)
		return http_read(f, x) == FLOW_NEXT ? graphql_sse_accept(f)
						    : FLOW_DONE;
	if (media(f) == MEDIA_NONE)
		return flow_fail(f, 406, "not_acceptable",
		    "Answers are application/graphql-response+json or "
		    "application/json, in UTF-8.");
	if (http_read(f, x) != FLOW_NEXT || persisted_find(f, x) != FLOW_NEXT)
		return FLOW_DONE;
	return registered_ask(f, x);
}

enum flow_next
http_ask(struct flow *f)
{
	struct execution *x = flow_state(f);
	struct writer w;

	if (registered_check(f, x) != FLOW_NEXT)
		return FLOW_DONE;
	if (x->text == NULL)
		return flow_fail(f, http_malformed(f), "invalid_request",
		    "The request needs a `query`.");
	write_begin(&w, flow_mem(f), NULL);
	return go_on(f, &w, execute_ask(f, x, &w));
}

enum flow_next
http_more(struct flow *f)
{
	struct writer w;

	write_begin(&w, flow_mem(f), NULL);
	return go_on(f, &w, execute_more(f, flow_state(f), &w));
}

enum flow_next
http_answer(struct flow *f)
{
	enum execution_step step;
	struct writer w;

	write_begin(&w, flow_mem(f), NULL);
	step = execute_answer(f, flow_state(f), &w);
	return step == EXECUTION_READY ? reply(f, &w, answered_status(f, &w))
				       : stop(f, &w, step);
}
