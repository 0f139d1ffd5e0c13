/* http_request.c - parameters become a request; a redirect makes it another. */
#include "exec/http_request.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define HOST_CHARACTERS                                                        \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

/* --- the URL -------------------------------------------------------------- */

static const char *
part(struct mem *m, CURLU *u, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
		return NULL;
	copy = mem_strdup(m, text);
	curl_free(text);
	return copy;
}

/* The pieces that we look at; what is secret leaves the URL. */
static int
url_split(struct http_request *r, struct mem *m, CURLU *u, bool credentials,
    struct err *e)
{
	size_t len;
	char *host;

	if (credentials) {
		r->user = part(m, u, CURLUPART_USER, CURLU_URLDECODE);
		r->password = part(m, u, CURLUPART_PASSWORD, CURLU_URLDECODE);
	}
	curl_url_set(u, CURLUPART_USER, NULL, 0);
	curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	host = (char *)(uintptr_t)part(m, u, CURLUPART_HOST, 0);
	len = host != NULL ? strlen(host) : 0;
	if (len > 1 && host[len - 1] == '.') { /* the root; the same name */
		host[--len] = '\0';
		curl_url_set(u, CURLUPART_HOST, host, 0);
	}
	r->host = host;
	r->scheme = part(m, u, CURLUPART_SCHEME, 0);
	r->port = part(m, u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	r->url = part(m, u, CURLUPART_URL, 0);
	if (r->scheme == NULL || r->port == NULL || r->url == NULL ||
	    len == 0 || len > 255)
		return err_set(e, "invalid_parameter", "url has no host.");
	if (host[0] != '[' && strspn(host, HOST_CHARACTERS) != len)
		return err_set(e, "invalid_parameter",
		    "The host in url has a character that names don't have "
		    "(write others in punycode).");
	if (strcmp(r->scheme, "http") != 0 && strcmp(r->scheme, "https") != 0)
		return err_set(e, "invalid_parameter",
		    "url must begin with \"http://\" or \"https://\".");
	return 0;
}

static int
url_read(struct http_request *r, struct mem *m, const char *url,
    const char *query, bool credentials, struct err *e)
{
	CURLU *u = curl_url();
	int rc;

	if (u == NULL)
		return err_memory(e);
	if (curl_url_set(u, CURLUPART_URL, url,
		CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK ||
	    (query[0] != '\0' && curl_url_set(u, CURLUPART_QUERY, query,
				     CURLU_APPENDQUERY) != CURLUE_OK))
		rc = err_set(e, "invalid_parameter", "url is not a URL.");
	else
		rc = url_split(r, m, u, credentials, e);
	curl_url_cleanup(u);
	return rc;
}

/* Everything but unreserved characters as %XX (RFC 3986). */
static void
put_encoded(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];

		if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= '0' && ch <= '9') ||
		    (ch != 0 && strchr("-._~", ch) != NULL))
			buf_putc(b, (char)ch);
		else
			buf_printf(b, "%%%02X", ch);
	}
}

static void
put_scalar(struct buf *b, const struct json *v)
{
	if (v->type == JSON_STRING)
		buf_put(b, v->string, v->count);
	else
		json_write(b, v);
}

/* null: leave it out. */
static void
put_pair(struct buf *b, const struct json_member *m, const struct json *v)
{
	struct buf text;

	if (v->type == JSON_NULL)
		return;
	buf_create(&text, 0);
	text.wipe = true; /* may hold secrets */
	put_scalar(&text, v);
	if (b->len > 0)
		buf_putc(b, '&');
	put_encoded(b, m->name, m->name_len);
	buf_putc(b, '=');
	put_encoded(b, text.data != NULL ? text.data : "", text.len);
	b->failed = b->failed || text.failed;
	buf_free(&text);
}

static void
put_query(struct buf *b, const struct json *query)
{
	for (uint32_t i = 0; query != NULL && i < query->count; i++) {
		const struct json_member *m = &query->members[i];

		if (m->value->type != JSON_ARRAY)
			put_pair(b, m, m->value);
		for (uint32_t k = 0;
		     m->value->type == JSON_ARRAY && k < m->value->count; k++)
			put_pair(b, m, m->value->items[k]);
	}
}

/* --- headers and body ----------------------------------------------------- */

static bool
header_own(const char *name)
{
	static const char *const shared[] = {
	    "accept", "accept-language", "content-type", "user-agent"};

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (strcasecmp(name, shared[i]) == 0)
			return false;
	return true;
}

static void
header_add(struct http_request *r, struct mem *m, const char *name,
    const char *value, bool own)
{
	struct http_header *h = &r->headers[r->header_count++];

	h->line = value[0] == '\0' ? mem_printf(m, "%s;", name)
				   : mem_printf(m, "%s: %s", name, value);
	h->own = own;
	h->content = strncasecmp(name, "content-", 8) == 0;
}

static bool
has_header(const struct json *headers, const char *name)
{
	for (uint32_t i = 0; headers != NULL && i < headers->count; i++)
		if (strcasecmp(headers->members[i].name, name) == 0 &&
		    headers->members[i].value->type != JSON_NULL)
			return true;
	return false;
}

static void
read_headers(struct http_request *r, struct mem *m, const struct json *params)
{
	const struct json *list = json_get(params, "headers");
	uint32_t count = list != NULL ? list->count : 0;
	struct buf value;

	r->headers = mem_array(m, count + 2, sizeof(*r->headers));
	if (r->headers == NULL)
		return;
	buf_create(&value, 0);
	value.wipe = true;
	for (uint32_t i = 0; i < count; i++) {
		const struct json_member *h = &list->members[i];

		if (h->value->type == JSON_NULL)
			continue;
		buf_reset(&value);
		put_scalar(&value, h->value);
		m->failed = m->failed || buf_failed(&value);
		if (!m->failed)
			header_add(r, m, h->name,
			    value.len > 0 ? value.data : "",
			    header_own(h->name));
	}
	buf_free(&value);
	if (!has_header(list, "user-agent"))
		header_add(r, m, "User-Agent", "open", false);
	if (r->body != NULL && !has_header(list, "content-type"))
		header_add(r, m, "Content-Type",
		    json_get(params, "json") != NULL
			? "application/json"
			: "text/plain; charset=utf-8",
		    false);
}

static void
read_body(struct http_request *r, struct mem *m, const struct json *params)
{
	const struct json *body = json_get(params, "body");
	const struct json *json = json_get(params, "json");
	struct buf b;

	if (body != NULL) {
		r->body = body->string;
		r->body_len = body->count;
	} else if (json != NULL) {
		buf_create(&b, 0);
		b.wipe = true;
		json_write(&b, json);
		m->failed = m->failed || buf_failed(&b);
		if (!m->failed)
			r->body = mem_strndup(m, b.data, b.len);
		r->body_len = b.len;
		buf_free(&b);
	}
}

/* --- the whole ------------------------------------------------------------ */

static void
read_status(struct http_request *r, const struct json *v)
{
	r->status_count = 1;
	r->status[0].first = 200;
	r->status[0].last = 299;
	if (v == NULL)
		return;
	if (v->type == JSON_ARRAY)
		r->status_count = v->count;
	for (uint32_t i = 0; i < r->status_count; i++)
		http_status_range(v->type == JSON_ARRAY ? v->items[i] : v,
		    &r->status[i].first, &r->status[i].last);
}

static void
read_limits(struct http_request *r, const struct json *params)
{
	const struct json *timeout = json_get(params, "timeout");
	const struct json *bytes = json_get(params, "max_bytes");
	const struct json *redirects = json_get(params, "redirects");
	int64_t n;

	r->timeout_ns = HTTP_TIMEOUT_NS;
	if (timeout != NULL)
		duration_parse(timeout->string, timeout->count, &r->timeout_ns);
	if (bytes != NULL && json_as_integer(bytes, &n))
		r->max_bytes = n;
	r->redirects = HTTP_REDIRECTS;
	if (redirects != NULL && json_as_integer(redirects, &n))
		r->redirects = (unsigned)n;
}

int
http_request_read(struct http_request *r, struct mem *m,
    const struct json *params, struct err *e)
{
	const struct json *method = json_get(params, "method");
	struct buf query;
	int rc;

	memset(r, 0, sizeof(*r));
	if (http_check(params, false, e) != 0)
		return -1;
	read_body(r, m, params);
	read_headers(r, m, params);
	read_status(r, json_get(params, "status"));
	read_limits(r, params);
	r->method = method != NULL    ? method->string
		    : r->body != NULL ? "POST"
				      : "GET";
	buf_create(&query, 0);
	query.wipe = true; /* may hold secrets */
	put_query(&query, json_get(params, "query"));
	if (buf_failed(&query))
		rc = err_memory(e);
	else if (query.len > HTTP_URL_MAX)
		rc = err_set(e, "invalid_parameter", "query is too long.");
	else
		rc = url_read(r, m, json_get(params, "url")->string,
		    query.len > 0 ? query.data : "", true, e);
	buf_free(&query);
	return mem_failed(m) ? err_memory(e) : rc;
}

bool
http_request_accepts(const struct http_request *r, long status)
{
	for (unsigned i = 0; i < r->status_count; i++)
		if (status >= r->status[i].first && status <= r->status[i].last)
			return true;
	return false;
}

/* --- redirects ------------------------------------------------------------ */

static void
drop_headers(struct http_request *r, bool own, bool content)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->header_count; i++)
		if (!(own && r->headers[i].own) &&
		    !(content && r->headers[i].content))
			r->headers[kept++] = r->headers[i];
	r->header_count = kept;
}

int
http_request_redirect(struct http_request *r, struct mem *m, long status,
    const char *url, struct err *e)
{
	struct http_request old = *r;
	bool get = status == 303
		       ? strcmp(r->method, "HEAD") != 0
		       : status <= 302 && strcmp(r->method, "POST") == 0;

	if (url_read(r, m, url, "", false, e) != 0)
		return mem_failed(m) ? err_memory(e) : -1;
	if (get) {
		r->method = "GET";
		r->body = NULL;
		r->body_len = 0;
		drop_headers(r, false, true);
	}
	if (strcmp(r->scheme, old.scheme) != 0 ||
	    strcasecmp(r->host, old.host) != 0 ||
	    strcmp(r->port, old.port) != 0) {
		r->user = r->password = NULL;
		drop_headers(r, true, false);
	}
	return 0;
}
