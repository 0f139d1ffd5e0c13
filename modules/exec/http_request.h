/* http_request.h - what a node asks of a server, read from its parameters.
 *
 * Owner:    all of it lives in the call's memory.
 * Secrets:  user and password are never part of url, and nothing of headers,
 *           query, path or body is ever part of an error.
 */
#ifndef OPEN_EXEC_HTTP_REQUEST_H
#define OPEN_EXEC_HTTP_REQUEST_H

#include "base/err.h"
#include "base/mem.h"
#include "dag/json.h"

#define HTTP_TIMEOUT_NS	 INT64_C(30000000000)
#define HTTP_TIMEOUT_MAX INT64_C(3600000000000)
#define HTTP_REDIRECTS	 5
#define HTTP_URL_MAX	 65536
#define HTTP_RANGES	 32

struct http_header {
	const char *line; /* "Name: value", "Name;" where the value is empty */
	bool own;	  /* only for the origin that the document names */
	bool content;	  /* speaks of the body */
};

struct http_request {
	const char *method;
	const char *url; /* without user, password and fragment */
	const char *scheme, *host, *port;
	const char *user, *password; /* NULL: none */
	struct http_header *headers;
	size_t header_count;
	const char *body; /* NULL: none */
	size_t body_len;
	struct {
		uint16_t first, last;
	} status[HTTP_RANGES];
	unsigned status_count;
	unsigned redirects;
	int64_t timeout_ns, max_bytes; /* max_bytes 0: not said */
};

/* Checks parameters, -1 and e with pointer. templates: texts that hold one are
 * taken for what they may become. */
int http_check(const struct json *params, bool templates, struct err *e);
/* 200, "200", "2xx", "200-204"; false: none of these. */
bool http_status_range(const struct json *v, uint16_t *first, uint16_t *last);
/* Evaluated parameters. -1 and e: "invalid_parameter", "out_of_memory". */
int http_request_read(struct http_request *, struct mem *,
    const struct json *params, struct err *e);
bool http_request_accepts(const struct http_request *, long status);
/* The answer `status` sends us to url: a GET where browsers make it one; to
 * another origin credentials and headers of the document don't go along. -1 and
 * e: not a URL that may be followed. */
int http_request_redirect(struct http_request *, struct mem *, long status,
    const char *url, struct err *e);

#endif
