/* route.c - finds the steps of a request's method.
 */
#include "web/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "web/kore_api.h"

static const char *
method_name(const struct http_request *req)
{
	switch (req->method) {
	case HTTP_METHOD_GET:
	case HTTP_METHOD_HEAD:
		return "GET";
	case HTTP_METHOD_POST:
		return "POST";
	case HTTP_METHOD_PATCH:
		return "PATCH";
	case HTTP_METHOD_PUT:
		return "PUT";
	case HTTP_METHOD_DELETE:
		return "DELETE";
	default:
		return "";
	}
}

static enum flow_next
refuse(struct flow *f)
{
	return flow_fail(f, 405, "method_not_allowed",
	    "This resource does not take %s.", flow_method(f));
}

static const struct flow_step refuse_steps[] = {FLOW_STEP(refuse), FLOW_END};

/* A handler is entered again after every wait, and Kore would send the header
 * as often. */
static void
tell_allowed(struct http_request *req, const struct route_method *table)
{
	char methods[64] = "";
	struct http_header *h;
	size_t len = 0;

	TAILQ_FOREACH (h, &req->resp_headers, list)
		if (strcmp(h->header, "allow") == 0)
			return;
	for (; table->method != NULL && len < sizeof(methods); table++)
		if (strcmp(table->method, ROUTE_WEBSOCKET) != 0)
			len += (size_t)snprintf(methods + len,
			    sizeof(methods) - len, "%s%s%s",
			    len == 0 ? "" : ", ", table->method,
			    strcmp(table->method, "GET") == 0 ? ", HEAD" : "");
	http_response_header(req, "allow", methods);
}

static bool
wants_websocket(struct http_request *req)
{
	const char *upgrade;

	return req->method == HTTP_METHOD_GET &&
	       http_request_header(req, "upgrade", &upgrade) &&
	       strcasecmp(upgrade, "websocket") == 0;
}

static const struct route_method *
find(const struct route_method *table, const char *name)
{
	while (table->method != NULL && strcmp(table->method, name) != 0)
		table++;
	return table->method == NULL ? NULL : table;
}

int
route_run(struct http_request *req, const struct route_method *methods)
{
	const struct route_method *m = NULL;

	if (wants_websocket(req))
		m = find(methods, ROUTE_WEBSOCKET);
	if (m == NULL)
		m = find(methods, method_name(req));
	if (m != NULL)
		return flow_run(req, m->action, m->steps, m->state_size);
	tell_allowed(req, methods);
	return flow_run(req, POLICY_UNKNOWN, refuse_steps, 0);
}

const char *
route_fault(const struct route_method *table)
{
	for (; table->method != NULL; table++)
		if (policy_get(table->action) == NULL)
			return table->method;
	return NULL;
}
