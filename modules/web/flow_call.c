/* flow_call.c - a flow that waits for a route of this server, run with the
 * credentials of its own request. */

#include "web/request.h"

static void
answered(void *arg, int status, const char *body, size_t len)
{
	struct flow *f = arg;

	f->call = NULL;
	f->called_status = status;
	f->called_body = mem_strndup(&f->mem, body, len);
	f->called_len = len;
	flow_wake(f);
}

enum flow_next
flow_call(struct flow *f, const struct flow_call *c)
{
	struct call_origin from = {
	    .authorization = flow_header(f, "authorization"),
	    .cookie = flow_header(f, "cookie"),
	    .host = flow_header(f, "host"),
	    .address = flow_address(f),
	    .checked = true,
	};
	struct call_request r = {
	    .from = &from,
	    .method = c->method,
	    .path = c->path,
	    .accept = "application/vnd.api+json",
	    .content_type = c->body == NULL ? NULL : "application/vnd.api+json",
	    .idempotency_key = c->idempotency_key,
	    .body = c->body,
	    .body_len = c->body_len,
	    .done = answered,
	    .arg = f,
	};

	if ((f->call = call_start(&r)) == NULL)
		return flow_fail(
		    f, 503, "out_of_memory", "The server ran out of memory.");
	return flow_wait(f);
}

int
flow_called(const struct flow *f, const char **body, size_t *len)
{
	*body = f->called_body;
	*len = f->called_len;
	return f->called_body == NULL ? 500 : f->called_status;
}
