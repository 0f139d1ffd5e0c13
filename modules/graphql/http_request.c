/* http_request.c - media types, bodies and parameters. */
#include "graphql/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/config.h"

/* --- Accept ---------------------------------------------------------------- */

/* How much a media range (TYPE;q=0.5) wants what it names, in thousandths. */
static int
quality(const char *range, size_t len)
{
	const char *end = range + len, *p = range;

	while ((p = memchr(p, ';', (size_t)(end - p))) != NULL) {
		p++;
		p += strspn(p, " \t");
		if (p + 2 < end && (*p == 'q' || *p == 'Q') && p[1] == '=') {
			double q = strtod(p + 2, NULL);

			return q >= 1 ? 1000 : q > 0 ? (int)(q * 1000) : 0;
		}
	}
	return 1000;
}

static bool
is_type(const char *range, size_t len, const char *type)
{
	size_t n = strcspn(range, "; \t,");

	return n <= len && n == strlen(type) &&
	       strncasecmp(range, type, n) == 0;
}

/* The answer is UTF-8; a range that asks for another charset is none of ours. */
static bool
in_utf8(const char *range, size_t len)
{
	const char *p = strcasestr(range, "charset=");

	if (p == NULL || p >= range + len)
		return true;
	p += 8;
	p += *p == '"';
	return strncasecmp(p, "utf-8", 5) == 0;
}

enum media
http_media(const char *accept)
{
	int newer = 0, older = 0;

	if (accept == NULL || *accept == '\0')
		return MEDIA_JSON;
	while (*accept != '\0') {
		size_t len;
		int q;

		accept += strspn(accept, " \t,");
		len = strcspn(accept, ",");
		q = in_utf8(accept, len) ? quality(accept, len) : 0;
		if (is_type(accept, len, "application/graphql-response+json"))
			newer = q > newer ? q : newer;
		else if (is_type(accept, len, "application/json") ||
			 is_type(accept, len, "application/*") ||
			 is_type(accept, len, "*/*"))
			older = q > older ? q : older;
		accept += len;
	}
	if (newer == 0 && older == 0)
		return MEDIA_NONE;
	return newer >= older ? MEDIA_GRAPHQL : MEDIA_JSON;
}

/* --- what is asked ---------------------------------------------------------- */

bool
http_draft(struct flow *f)
{
	return flow_config()->graphql_status_codes == STATUS_CODES_DRAFT &&
	       http_media(flow_header(f, "accept")) == MEDIA_GRAPHQL;
}

int
http_malformed(struct flow *f)
{
	return http_draft(f) ? 422 : 400;
}

static enum flow_next
refuse(struct flow *f, const char *what)
{
	return flow_fail(f, http_malformed(f), "invalid_request", "%s", what);
}

static bool
absent(const struct json *v)
{
	return v == NULL || v->type == JSON_NULL;
}

static enum flow_next
read_object(struct flow *f, struct execution *x, const struct json *body)
{
	const struct json *query = json_get(body, "query");
	const struct json *name = json_get(body, "operationName");
	const struct json *variables = json_get(body, "variables");
	const struct json *extensions = json_get(body, "extensions");

	if (!absent(query) && query->type != JSON_STRING)
		return refuse(f, "`query` must be a string.");
	if (!absent(name) && name->type != JSON_STRING)
		return refuse(f, "`operationName` must be a string.");
	if (!absent(variables) && variables->type != JSON_OBJECT)
		return refuse(f, "`variables` must be an object.");
	if (!absent(extensions) && extensions->type != JSON_OBJECT)
		return refuse(f, "`extensions` must be an object.");
	if (!absent(query)) {
		x->text = query->string;
		x->len = query->count;
	}
	if (!absent(name)) {
		x->operation_name = name->string;
		x->operation_name_len = name->count;
	}
	x->variables = absent(variables) ? NULL : variables;
	x->extensions = absent(extensions) ? NULL : extensions;
	return FLOW_NEXT;
}

/* RFC 8259: JSON is UTF-8. */
static bool
body_is_utf8(struct flow *f)
{
	const char *type = flow_header(f, "content-type");

	return type == NULL || in_utf8(type, strlen(type));
}

static enum flow_next
read_body(struct flow *f, struct execution *x)
{
	const struct json *body;

	if (flow_header(f, "content-type") == NULL || !body_is_utf8(f))
		return flow_fail(f, 415, "unsupported_media_type",
		    "The body must be application/json in UTF-8.");
	if ((body = flow_json(f)) == NULL)
		return FLOW_DONE;
	if (body->type == JSON_ARRAY)
		return flow_fail(f, http_malformed(f), "batching_not_supported",
		    "One operation a request: send several requests over one "
		    "connection.");
	if (body->type != JSON_OBJECT)
		return refuse(f, "The body must be an object with a `query`.");
	return read_object(f, x, body);
}

/* A parameter that holds JSON; false: it has answered. */
static bool
read_parameter(struct flow *f, const char *name, const struct json **out)
{
	const char *text = flow_parameter(f, name);
	struct err e;

	*out = NULL;
	if (text == NULL || *text == '\0')
		return true;
	err_clear(&e);
	if (json_parse(flow_mem(f), text, strlen(text), NULL, out, &e) == 0 &&
	    ((*out)->type == JSON_OBJECT || (*out)->type == JSON_NULL)) {
		if ((*out)->type == JSON_NULL)
			*out = NULL;
		return true;
	}
	flow_fail(f, http_malformed(f), "invalid_request",
	    "The parameter `%s` must be an object of JSON.", name);
	return false;
}

static enum flow_next
read_parameters(struct flow *f, struct execution *x)
{
	const char *query = flow_parameter(f, "query");
	const char *name = flow_parameter(f, "operationName");

	if (!read_parameter(f, "variables", &x->variables) ||
	    !read_parameter(f, "extensions", &x->extensions))
		return FLOW_DONE;
	x->text = query;
	x->len = query == NULL ? 0 : strlen(query);
	if (name != NULL && *name != '\0') {
		x->operation_name = name;
		x->operation_name_len = strlen(name);
	}
	return FLOW_NEXT;
}

enum flow_next
http_read(struct flow *f, struct execution *x)
{
	x->reads_only = strcmp(flow_method(f), "POST") != 0;
	return x->reads_only ? read_parameters(f, x) : read_body(f, x);
}
