/* http.c - GraphQL over HTTP: a request's body in, an answer out. */
#include "graphql/http.h"

#include <string.h>
#include <strings.h>

#include "web/graphql_sse.h"

#define GRAPHQL_JSON "application/graphql-response+json"

/* The newer media type is answered in where it is asked for. */
static bool
wants_graphql_json(struct flow *f)
{
	const char *accept = flow_header(f, "accept");

	return accept != NULL && strcasestr(accept, GRAPHQL_JSON) != NULL;
}

static enum flow_next
reply(struct flow *f, struct writer *w, int status)
{
	bool newer = wants_graphql_json(f);

	if (buf_failed(&w->out)) {
		buf_free(&w->out);
		return flow_fail(f, 500, "response_too_large",
		    "The answer is larger than the server allows.");
	}
	return flow_reply(f, newer ? status : 200, &w->out,
	    newer ? GRAPHQL_JSON "; charset=utf-8"
		  : "application/json; charset=utf-8",
	    NULL);
}

static enum flow_next
reply_step(struct flow *f, struct writer *w, enum execution_step step)
{
	switch (step) {
	case EXECUTION_READY:
		return reply(f, w, 200);
	case EXECUTION_REFUSED:
		return reply(f, w, 400);
	case EXECUTION_WAITS:
		return FLOW_WAIT;
	case EXECUTION_ENDED:
		break;
	}
	return FLOW_DONE;
}

/* To the next step, unless there is something to wait for or to refuse. */
static enum flow_next
go_on(struct flow *f, struct writer *w, enum execution_step step)
{
	if (step == EXECUTION_REFUSED)
		return reply(f, w, 400);
	buf_free(&w->out);
	buf_free(&w->errors);
	return step == EXECUTION_READY ? FLOW_NEXT : reply_step(f, w, step);
}

/* What is wrong with it, or NULL. */
static const char *
read_request(const struct json *body, struct execution *x)
{
	const struct json *query, *name, *variables;

	if (body->type != JSON_OBJECT)
		return "The body is an object with a query.";
	query = json_get(body, "query");
	name = json_get(body, "operationName");
	variables = json_get(body, "variables");
	if (query == NULL || query->type != JSON_STRING)
		return "query must be a text.";
	if (name != NULL && name->type != JSON_STRING &&
	    name->type != JSON_NULL)
		return "operationName must be a text.";
	if (variables != NULL && variables->type != JSON_OBJECT &&
	    variables->type != JSON_NULL)
		return "variables must be an object.";
	x->text = query->string;
	x->len = query->count;
	if (name != NULL && name->type == JSON_STRING) {
		x->operation_name = name->string;
		x->operation_name_len = name->count;
	}
	if (variables != NULL && variables->type == JSON_OBJECT)
		x->variables = variables;
	return NULL;
}

enum flow_next
http_ask(struct flow *f)
{
	struct execution *x = flow_state(f);
	const struct json *body = flow_json(f);
	struct writer w;
	const char *wrong;

	if (body == NULL)
		return FLOW_DONE;
	if (graphql_sse_wanted(f))
		return graphql_sse_accept(f);
	write_begin(&w, flow_mem(f), NULL);
	if ((wrong = read_request(body, x)) != NULL) {
		struct gql_place none = {0, 0};

		write_error(&w, none, NULL, "invalid_request", wrong);
		write_refusal(&w);
		return reply(f, &w, 400);
	}
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
	struct writer w;

	write_begin(&w, flow_mem(f), NULL);
	return reply_step(f, &w, execute_answer(f, flow_state(f), &w));
}
