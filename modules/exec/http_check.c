/* http_check.c - rules for the parameters of op http that its table can't say;
 * for documents, where texts may hold templates, and for what these became. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "exec/http_request.h"

struct checker {
	bool templates;
	struct err *e;
};

static const char *const methods[] = {
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

/* They say how the request is cut into bytes, which is ours to say. */
static const char *const reserved[] = {"connection", "content-length", "expect",
    "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade"};

static int __attribute__((format(printf, 3, 4)))
fault(struct checker *c, const char *pointer, const char *fmt, ...)
{
	char text[ERR_MESSAGE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err_set(c->e, "invalid_parameter", "%s", text);
	if (c->e != NULL)
		snprintf(c->e->pointer, sizeof(c->e->pointer), "%s", pointer);
	return -1;
}

/* A text whose value is not known yet. */
static bool
later(const struct checker *c, const struct json *v)
{
	return c->templates && v->type == JSON_STRING &&
	       memmem(v->string, v->count, "${{", 3) != NULL;
}

static bool
is_scalar(const struct json *v)
{
	return v->type != JSON_ARRAY && v->type != JSON_OBJECT;
}

static int
check_method(struct checker *c, const struct json *v)
{
	if (v == NULL || later(c, v))
		return 0;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (json_is_string(v, methods[i]))
			return 0;
	return fault(c, "/method",
	    "method must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.");
}

static int
check_url(struct checker *c, const struct json *v)
{
	if (v == NULL || v->type != JSON_STRING || v->count > HTTP_URL_MAX)
		return fault(c, "/url", "url must be a text, at most 64 KiB.");
	if (later(c, v) || strncasecmp(v->string, "http://", 7) == 0 ||
	    strncasecmp(v->string, "https://", 8) == 0)
		return 0;
	return fault(
	    c, "/url", "url must begin with \"http://\" or \"https://\".");
}

static bool
is_token(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch <= ' ' || ch >= 127 ||
		    strchr("()<>@,;:\\\"/[]?={}", ch) != NULL)
			return false;
	}
	return len > 0;
}

static bool
is_field_value(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 127)
			return false;
	return true;
}

static int
check_header(struct checker *c, const struct json_member *m)
{
	const struct json *v = m->value;

	if (!is_token(m->name, m->name_len))
		return fault(c, "/headers", "A header's name is not one.");
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcasecmp(m->name, reserved[i]) == 0)
			return fault(c, "/headers",
			    "The header \"%s\" can't be set.", reserved[i]);
	if (!is_scalar(v))
		return fault(c, "/headers",
		    "The value of the header \"%.100s\" must be a text, a "
		    "number or a boolean.",
		    m->name);
	if (v->type == JSON_STRING && !is_field_value(v->string, v->count))
		return fault(c, "/headers",
		    "The value of the header \"%.100s\" has a control "
		    "character.",
		    m->name);
	return 0;
}

static int
check_headers(struct checker *c, const struct json *v)
{
	if (v == NULL || later(c, v))
		return 0;
	if (v->type != JSON_OBJECT)
		return fault(c, "/headers", "headers must be an object.");
	for (uint32_t i = 0; i < v->count; i++)
		if (check_header(c, &v->members[i]) != 0)
			return -1;
	return 0;
}

static int
check_query(struct checker *c, const struct json *v)
{
	if (v == NULL || later(c, v))
		return 0;
	if (v->type != JSON_OBJECT)
		return fault(c, "/query", "query must be an object.");
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json *value = v->members[i].value;
		bool good = value->type != JSON_OBJECT;

		for (uint32_t k = 0;
		     value->type == JSON_ARRAY && k < value->count; k++)
			good = good && is_scalar(value->items[k]);
		if (!good)
			return fault(c, "/query",
			    "The value of \"%.100s\" must be a text, a number, "
			    "a boolean or a list of them.",
			    v->members[i].name);
	}
	return 0;
}

static int
check_bodies(struct checker *c, const struct json *params)
{
	const struct json *body = json_get(params, "body");
	const struct json *json = json_get(params, "json");

	if (body != NULL && json != NULL)
		return fault(
		    c, "/body", "A request has only one of json and body.");
	if (body != NULL && body->type != JSON_STRING)
		return fault(c, "/body", "body must be a text.");
	if ((body != NULL || json != NULL) &&
	    json_get(params, "method") != NULL &&
	    json_is_string(json_get(params, "method"), "HEAD"))
		return fault(c, "/method", "HEAD has no body.");
	return 0;
}

bool
http_status_range(const struct json *v, uint16_t *first, uint16_t *last)
{
	int64_t n;
	unsigned a, b;
	int end = 0;

	if (json_as_integer(v, &n)) {
		*first = *last = (uint16_t)n;
		return n >= 100 && n <= 599;
	}
	if (v->type != JSON_STRING || v->count > 9)
		return false;
	if (v->count == 3 && strcmp(v->string + 1, "xx") == 0 &&
	    v->string[0] >= '1' && v->string[0] <= '5') {
		*first = (uint16_t)((v->string[0] - '0') * 100);
		*last = (uint16_t)(*first + 99);
		return true;
	}
	if (sscanf(v->string, "%3u-%3u%n", &a, &b, &end) != 2 ||
	    end != (int)v->count) {
		if (sscanf(v->string, "%3u%n", &a, &end) != 1 ||
		    end != (int)v->count)
			return false;
		b = a;
	}
	*first = (uint16_t)a;
	*last = (uint16_t)b;
	return a >= 100 && b <= 599 && a <= b;
}

static int
check_status(struct checker *c, const struct json *v)
{
	uint16_t first, last;
	uint32_t count;

	if (v == NULL || later(c, v))
		return 0;
	count = v->type == JSON_ARRAY ? v->count : 1;
	if (count < 1 || count > HTTP_RANGES)
		return fault(
		    c, "/status", "status has 1 to %d items.", HTTP_RANGES);
	for (uint32_t i = 0; i < count; i++) {
		const struct json *item =
		    v->type == JSON_ARRAY ? v->items[i] : v;

		if (!later(c, item) && !http_status_range(item, &first, &last))
			return fault(c, "/status",
			    "status takes codes like 200, ranges like "
			    "\"200-204\" and classes like \"2xx\".");
	}
	return 0;
}

static int
check_integer(struct checker *c, const struct json *params, const char *name,
    const char *pointer, int64_t min, int64_t max)
{
	const struct json *v = json_get(params, name);
	int64_t n;

	if (v == NULL || later(c, v) ||
	    (json_as_integer(v, &n) && n >= min && n <= max))
		return 0;
	return fault(c, pointer, "%s must be an integer from %lld to %lld.",
	    name, (long long)min, (long long)max);
}

static int
check_limits(struct checker *c, const struct json *params)
{
	const struct json *v = json_get(params, "timeout");
	int64_t ns;

	if (v != NULL && !later(c, v) &&
	    (v->type != JSON_STRING ||
		!duration_parse(v->string, v->count, &ns) || ns <= 0 ||
		ns > HTTP_TIMEOUT_MAX))
		return fault(c, "/timeout",
		    "timeout must be a duration like \"5s\", at most 1h.");
	if (check_integer(c, params, "max_bytes", "/max_bytes", 1, INT32_MAX) !=
	    0)
		return -1;
	return check_integer(c, params, "redirects", "/redirects", 0, 20);
}

int
http_check(const struct json *params, bool templates, struct err *e)
{
	struct checker c = {.templates = templates, .e = e};

	if (check_method(&c, json_get(params, "method")) != 0 ||
	    check_url(&c, json_get(params, "url")) != 0 ||
	    check_headers(&c, json_get(params, "headers")) != 0 ||
	    check_query(&c, json_get(params, "query")) != 0 ||
	    check_bodies(&c, params) != 0 ||
	    check_status(&c, json_get(params, "status")) != 0)
		return -1;
	return check_limits(&c, params);
}
