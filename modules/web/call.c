/* call.c - requests that no connection brought: what Kore would have made of
 * one, enough for a flow; handlers are entered as Kore enters them.
 *
 *   ready ──(event loop)──► handler ──► answered ──(event loop)──► done
 *     ▲                        │ waits
 *     └──────(flow_wake)───────┘
 */
#include <sys/eventfd.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web/log.h"
#include "web/request.h"
#include "web/call.h"

#define HEADERS_MAX 8

extern struct kore_pool http_header_pool;

struct call {
	struct http_request req;
	struct connection owner; /* nobody's */
	struct http_header headers[HEADERS_MAX];
	unsigned header_count;
	struct mem mem;		       /* texts of the request */
	enum policy_action action;     /* of … */
	const struct flow_step *steps; /* NULL: the route's */
	size_t state_size;
	char address[64];
	bool checked;
	void *subject;
	void (*done)(void *, int, const char *, size_t);
	void *arg;
	int status; /* 0: not answered */
	struct buf answer;
	bool listed, forgotten;
	struct call *next;
};

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	struct call *first, **last; /* to be entered or told of */
} calls = {.fd = -1, .last = &calls.first};

/* Marks what is ours. */
static int
no_connection(struct connection *c)
{
	(void)c;
	return KORE_RESULT_ERROR;
}

struct call *
call_of(const struct http_request *req)
{
	/* A client's that went away has no connection any more. */
	return req->owner != NULL && req->owner->handle == no_connection
		   ? (struct call *)(uintptr_t)req
		   : NULL;
}

bool
call_checked(const struct http_request *req)
{
	const struct call *c = call_of(req);

	return c != NULL && c->checked;
}

bool
flow_is_call(const struct flow *f)
{
	return f->req != NULL && call_of(f->req) != NULL;
}

void *
call_subject(const struct flow *f)
{
	const struct call *c = f->req == NULL ? NULL : call_of(f->req);

	return c == NULL ? NULL : c->subject;
}

const char *
call_address(const struct call *c)
{
	return c->address;
}

/* --- the queue ------------------------------------------------------------ */

void
call_wake(struct call *c)
{
	uint64_t one = 1;

	if (c->listed)
		return;
	c->listed = true;
	c->next = NULL;
	*calls.last = c;
	calls.last = &c->next;
	if (write(calls.fd, &one, sizeof(one)) != sizeof(one))
		log_error("call: eventfd");
}

static void
call_free(struct call *c)
{
	struct http_header *h;

	if (c->req.onfree != NULL)
		c->req.onfree(&c->req);
	kore_free(c->req.hdlr_extra);
	while ((h = TAILQ_FIRST(&c->req.resp_headers)) != NULL) {
		TAILQ_REMOVE(&c->req.resp_headers, h, list);
		kore_free(h->header);
		kore_free(h->value);
		kore_pool_put(&http_header_pool, h);
	}
	if (c->req.http_body != NULL)
		kore_buf_free(c->req.http_body);
	buf_free(&c->answer);
	mem_destroy(&c->mem);
	free(c);
}

static void
not_found(struct call *c)
{
	c->status = 404;
	buf_puts(&c->answer, "{\"errors\":[{\"status\":\"404\",\"code\":"
			     "\"not_found\",\"title\":\"Not found\"}]}");
}

/* kore.conf has one server with one domain. */
static struct kore_domain *
own_domain(void)
{
	return TAILQ_FIRST(&LIST_FIRST(&kore_servers)->domains);
}

static int
enter(struct call *c)
{
	struct http_request *req = &c->req;

	if (c->steps != NULL)
		return flow_run(req, c->action, c->steps, c->state_size);
	req->hdlr = kore_module_handler_find(req, own_domain());
	if (req->hdlr != NULL)
		return kore_runtime_http_request(req->hdlr->rcall, req);
	not_found(c);
	return KORE_RESULT_OK;
}

static void
step(struct call *c)
{
	if (!c->forgotten && enter(c) == KORE_RESULT_RETRY)
		return;
	if (!c->forgotten)
		c->done(c->arg, c->status == 0 ? 500 : c->status,
		    c->answer.data == NULL ? "" : c->answer.data,
		    c->answer.len);
	c->forgotten = true;
	if (!c->listed) /* else: at the next turn */
		call_free(c);
}

static void
ready(void *arg, int error)
{
	struct call *c, *next;
	uint64_t n;

	(void)arg;
	(void)error;
	calls.event.flags = 0;
	if (read(calls.fd, &n, sizeof(n)) != sizeof(n))
		return;
	c = calls.first;
	calls.first = NULL;
	calls.last = &calls.first;
	for (; c != NULL; c = next) {
		next = c->next;
		c->listed = false;
		step(c);
	}
}

void
call_answered(struct call *c, int status, const void *body, size_t len)
{
	c->status = status;
	buf_put(&c->answer, body, len);
	if (buf_failed(&c->answer))
		c->status = 500;
}

void
call_forget(struct call *c)
{
	c->forgotten = true;
	call_wake(c);
}

/* --- making one ----------------------------------------------------------- */

static void
header(struct call *c, const char *name, const char *value)
{
	struct http_header *h;

	if (value == NULL)
		return;
	h = &c->headers[c->header_count++];
	h->header = mem_strdup(&c->mem, name);
	h->value = mem_strdup(&c->mem, value);
	if (!mem_failed(&c->mem))
		TAILQ_INSERT_TAIL(&c->req.req_headers, h, list);
}

static u_int8_t
method_of(const char *name)
{
	return strcmp(name, "GET") == 0	     ? HTTP_METHOD_GET
	       : strcmp(name, "PATCH") == 0  ? HTTP_METHOD_PATCH
	       : strcmp(name, "DELETE") == 0 ? HTTP_METHOD_DELETE
					     : HTTP_METHOD_POST;
}

static void
body_put(struct call *c, const struct call_request *r)
{
	struct http_request *req = &c->req;

	if (r->body == NULL)
		return;
	req->http_body = kore_buf_alloc(r->body_len + 1);
	kore_buf_append(req->http_body, r->body, r->body_len);
	req->http_body_length = req->content_length = r->body_len;
}

static void
lists_init(struct http_request *req)
{
	TAILQ_INIT(&req->req_headers);
	TAILQ_INIT(&req->resp_headers);
	TAILQ_INIT(&req->req_cookies);
	TAILQ_INIT(&req->resp_cookies);
	TAILQ_INIT(&req->arguments);
	TAILQ_INIT(&req->files);
	LIST_INIT(&req->pgsqls);
	LIST_INIT(&req->tasks);
}

static void
headers_put(struct call *c, const struct call_request *r)
{
	const struct call_origin *from = r->from;

	header(c, "accept", r->accept);
	header(c, "content-type", r->content_type);
	header(c, "idempotency-key", r->idempotency_key);
	if (from == NULL)
		return;
	header(c, "authorization", from->authorization);
	header(c, "cookie", from->cookie);
	header(c, "origin", from->origin);
	c->checked = from->checked;
	c->req.host = from->host == NULL ? "" : mem_strdup(&c->mem, from->host);
	if (from->address != NULL)
		strncpy(c->address, from->address, sizeof(c->address) - 1);
}

struct call *
call_start(const struct call_request *r)
{
	struct call *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	mem_create(&c->mem, 0);
	buf_create(&c->answer, 0);
	lists_init(&c->req);
	TAILQ_INIT(&c->owner.http_requests);
	TAILQ_INIT(&c->owner.send_queue);
	c->owner.handle = no_connection;
	c->owner.family = AF_UNSPEC;
	c->req.owner = &c->owner;
	c->req.http_body_fd = -1;
	c->req.host = c->req.agent = c->req.referer = "";
	c->req.method = method_of(r->method);
	c->req.path = mem_strdup(&c->mem, r->path);
	headers_put(c, r);
	body_put(c, r);
	c->subject = r->subject;
	c->done = r->done;
	c->arg = r->arg;
	if (mem_failed(&c->mem)) {
		call_free(c);
		return NULL;
	}
	call_wake(c);
	return c;
}

struct call *
call_steps(const struct call_request *r, enum policy_action action,
    const struct flow_step *steps, size_t state_size)
{
	struct call *c = call_start(r);

	if (c != NULL) {
		c->action = action;
		c->steps = steps;
		c->state_size = state_size;
	}
	return c;
}

int
call_init(void)
{
	calls.event.type = KORE_TYPE_TASK;
	calls.event.handle = ready;
	if ((calls.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) == -1)
		return -1;
	kore_platform_event_schedule(calls.fd, EPOLLIN, 0, &calls);
	return 0;
}
