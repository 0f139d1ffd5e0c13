/* request.c - what a request says: body, path, parameters, headers. */

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "dag/json.h"
#include "web/origin.h"
#include "web/receive.h"
#include "web/request.h"
#include "web/url.h"

#define SEGMENTS_MAX (sizeof(((struct flow *)0)->segments) / sizeof(char *))

/* Kore 4.1.0 reads no body of these methods: what follows the header would be
 * taken for the next request. */
static bool
body_unread(const struct flow *f)
{
	const char *length;

	if (f->req->method == HTTP_METHOD_POST ||
	    f->req->method == HTTP_METHOD_PUT ||
	    f->req->method == HTTP_METHOD_PATCH)
		return false;
	length = flow_header((struct flow *)(uintptr_t)f, "content-length");
	return length != NULL && strcmp(length, "0") != 0;
}

enum flow_next
request_check(struct flow *f)
{
	if (flow_header(f, "transfer-encoding") != NULL) {
		f->req->owner->flags |= CONNECTION_ENDS;
		return flow_fail(f, 411, "length_required",
		    "A body needs a Content-Length; chunked bodies are not "
		    "read.");
	}
	if (body_unread(f))
		f->req->owner->flags |= CONNECTION_ENDS;
	if (f->body != NULL && f->body_len > (size_t)server.config.body_limit)
		return flow_fail(f, 413, "body_too_large",
		    "The body has %zu bytes; at most %lld are taken.",
		    f->body_len, (long long)server.config.body_limit);
	return origin_preflight(f);
}

/* --- body ----------------------------------------------------------------- */

const char *
flow_body(struct flow *f, size_t *len)
{
	*len = f->body_len;
	return f->body == NULL ? "" : (const char *)f->body->data;
}

/* JSON:API 1.1: of the parameters ext and profile, only the latter may be
 * ignored. */
bool
flow_body_is_json(struct flow *f)
{
	static const char *const types[] = {
	    "application/vnd.api+json", "application/json"};
	const char *type = flow_header(f, "content-type"), *rest;
	size_t i, len;

	if (type == NULL)
		return true;
	len = strcspn(type, "; \t");
	rest = type + len + strspn(type + len, "; \t");
	for (i = 0; i < 2; i++)
		if (len == strlen(types[i]) &&
		    strncasecmp(type, types[i], len) == 0)
			return i == 1 || *rest == '\0' ||
			       strncasecmp(rest, "profile=", 8) == 0;
	return false;
}

const struct json *
flow_json(struct flow *f)
{
	const struct json *root;
	struct err e;
	const char *body;
	size_t len;

	if (!flow_body_is_json(f)) {
		flow_fail(f, 415, "unsupported_media_type",
		    "The body must be application/vnd.api+json.");
		return NULL;
	}
	body = flow_body(f, &len);
	if (len == 0) {
		flow_fail(f, 400, "missing_body", "The body is empty.");
		return NULL;
	}
	err_clear(&e);
	if (json_parse(&f->mem, body, len, NULL, &root, &e) != 0) {
		flow_fail(f, 400, e.code, "line %u, column %u: %s", e.line,
		    e.column, e.message);
		return NULL;
	}
	return root;
}

/* --- path ----------------------------------------------------------------- */

static void
segments_split(struct flow *f)
{
	const char *p = f->req->path, *end;

	f->segments_ready = true;
	while (*p == '/' && f->segment_count < SEGMENTS_MAX) {
		p++;
		end = p + strcspn(p, "/");
		if (end == p && *end == '\0')
			return;
		f->segments[f->segment_count++] =
		    url_decode(&f->mem, p, (size_t)(end - p), false);
		p = end;
	}
}

const char *
flow_segment(struct flow *f, unsigned i)
{
	if (!f->segments_ready)
		segments_split(f);
	return i < f->segment_count ? f->segments[i] : NULL;
}

bool
flow_segment_uuid(struct flow *f, unsigned i, struct uuid *out)
{
	const char *text = flow_segment(f, i);

	return text != NULL && uuid_parse(text, strlen(text), out);
}

/* --- parameters ----------------------------------------------------------- */

static void
parameter_add(void *ctx, const char *name, const char *value)
{
	struct flow *f = ctx;
	struct parameter *p = mem_alloc(&f->mem, sizeof(*p)), **last;

	if (p == NULL)
		return;
	p->name = name;
	p->value = value;
	for (last = &f->parameters; *last != NULL; last = &(*last)->next)
		;
	*last = p;
}

/* A bad escape ends the list with a parameter no one knows. */
static void
parameters_split(struct flow *f)
{
	f->parameters_ready = true;
	if (f->req->query_string != NULL &&
	    !url_query(&f->mem, f->req->query_string, parameter_add, f))
		parameter_add(f, "%", "");
}

const char *
flow_parameter(struct flow *f, const char *name)
{
	const struct parameter *p;

	if (!f->parameters_ready)
		parameters_split(f);
	for (p = f->parameters; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p->value;
	return NULL;
}

const char *
flow_unknown_parameter(struct flow *f, const char *const *known)
{
	const struct parameter *p;
	size_t i;

	if (!f->parameters_ready)
		parameters_split(f);
	for (p = f->parameters; p != NULL; p = p->next) {
		for (i = 0; known[i] != NULL; i++)
			if (strcmp(known[i], p->name) == 0)
				break;
		if (known[i] == NULL)
			return p->name;
	}
	return NULL;
}

/* --- header, method ------------------------------------------------------- */

const char *
flow_header(struct flow *f, const char *name)
{
	const char *value;

	return http_request_header(f->req, name, &value) ? value : NULL;
}

static bool
is_proxy(const char *address, size_t len)
{
	return config_lists(server.config.proxies, address, len);
}

/* What the nearest proxy that is not ours says: each appends who asked it. */
static void
forwarded(struct flow *f)
{
	const char *text = flow_header(f, "x-forwarded-for"), *end, *p;
	unsigned char raw[16];
	char address[ACTOR_ADDRESS];
	size_t len;

	for (end = text == NULL ? NULL : text + strlen(text); end != NULL;
	     end = p > text ? p - 1 : NULL) {
		for (p = end; p > text && p[-1] != ','; p--)
			;
		for (len = (size_t)(end - p); len > 0 && *p == ' '; len--)
			p++;
		while (len > 0 && p[len - 1] == ' ')
			len--;
		if (len >= sizeof(address))
			return;
		memcpy(address, p, len);
		address[len] = '\0';
		while (p > text && p[-1] == ' ')
			p--;
		if (inet_pton(AF_INET, address, raw) != 1 &&
		    inet_pton(AF_INET6, address, raw) != 1)
			return;
		memcpy(f->address, address, len + 1);
		if (!is_proxy(address, len))
			return;
	}
}

const char *
flow_address(struct flow *f)
{
	const struct connection *c = f->req->owner;
	const void *address = c->family == AF_INET6
				  ? (const void *)&c->addr.ipv6.sin6_addr
				  : (const void *)&c->addr.ipv4.sin_addr;

	if (flow_is_call(f))
		return call_address(call_of(f->req));
	if (f->address[0] != '\0' ||
	    (c->family != AF_INET && c->family != AF_INET6))
		return f->address;
	if (inet_ntop(c->family, address, f->address, sizeof(f->address)) ==
	    NULL)
		f->address[0] = '\0';
	else if (is_proxy(f->address, strlen(f->address)))
		forwarded(f);
	return f->address;
}

const char *
flow_method(struct flow *f)
{
	return http_method_text(f->req->method);
}
