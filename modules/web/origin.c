/* origin.c - the Origin of a request against our own and those configured. */

#include "web/origin.h"

#include <string.h>
#include <strings.h>

#include "web/request.h"

static bool
tls(const struct flow *f)
{
	return f->req->owner->ssl != NULL;
}

static bool
all_may_read(void)
{
	return strcmp(server.config.origins, "*") == 0;
}

/* Length of an authority without the scheme's own port. */
static size_t
authority(const char *text, size_t len, const char *port)
{
	size_t n = strlen(port);

	return len > n && memcmp(text + len - n, port, n) == 0 ? len - n : len;
}

/* http(s)://HOST against the header Host. Without TLS of our own something
 * before us may have it, so that the page says https. */
static bool
is_own(struct flow *f, const char *origin, size_t len)
{
	const char *host = flow_header(f, "host"), *port = ":80";
	size_t head = 7, n;

	if (len > 8 && strncasecmp(origin, "https://", 8) == 0) {
		head = 8;
		port = ":443";
	} else if (len <= 7 || strncasecmp(origin, "http://", 7) != 0 ||
		   tls(f)) {
		return false;
	}
	if (host == NULL)
		return false;
	n = authority(host, strlen(host), port);
	return n > 0 && n == authority(origin + head, len - head, port) &&
	       strncasecmp(origin + head, host, n) == 0;
}

static bool
is_trusted(struct flow *f, const char *origin, size_t len)
{
	return is_own(f, origin, len) ||
	       config_lists(server.config.origins, origin, len);
}

static bool
reads_only(struct flow *f)
{
	return (f->req->method == HTTP_METHOD_GET ||
		   f->req->method == HTTP_METHOD_HEAD) &&
	       flow_header(f, "upgrade") == NULL;
}

bool
origin_check(struct flow *f)
{
	const char *origin = flow_header(f, "origin"), *text, *path;

	if (reads_only(f) || call_checked(f->req))
		return true;
	if (origin != NULL)
		return is_trusted(f, origin, strlen(origin));
	/* Browsers that send no Origin say it in one of these. */
	if ((text = flow_header(f, "sec-fetch-site")) != NULL)
		return strcmp(text, "same-origin") == 0;
	if ((text = flow_header(f, "referer")) == NULL ||
	    (path = strstr(text, "://")) == NULL)
		return false;
	path += 3;
	path += strcspn(path, "/?#");
	return is_trusted(f, text, (size_t)(path - text));
}

/* --- CORS ----------------------------------------------------------------- */

static bool
may_read(const char *origin)
{
	return all_may_read() ||
	       config_lists(server.config.origins, origin, strlen(origin));
}

void
origin_headers(struct flow *f)
{
	const char *origin = flow_header(f, "origin");

	if (server.config.origins[0] == '\0')
		return;
	http_response_header(f->req, "vary", "origin");
	if (origin == NULL || !may_read(origin))
		return;
	http_response_header(f->req, "access-control-allow-origin",
	    all_may_read() ? "*" : origin);
	if (!all_may_read())
		http_response_header(
		    f->req, "access-control-allow-credentials", "true");
	http_response_header(f->req, "access-control-expose-headers",
	    "location, retry-after, www-authenticate");
}

enum flow_next
origin_preflight(struct flow *f)
{
	const char *origin = flow_header(f, "origin");

	if (f->req->method != HTTP_METHOD_OPTIONS || origin == NULL ||
	    flow_header(f, "access-control-request-method") == NULL)
		return FLOW_NEXT;
	if (!may_read(origin))
		return flow_fail(f, 403, "bad_origin",
		    "Pages of this origin may not use the API; see the setting "
		    "`origins`.");
	http_response_header(f->req, "access-control-allow-methods",
	    "GET, HEAD, POST, PATCH, PUT, DELETE");
	http_response_header(f->req, "access-control-allow-headers",
	    "accept, authorization, content-type, idempotency-key");
	http_response_header(f->req, "access-control-max-age", "600");
	return flow_reply_empty(f, 204);
}
