/* graphql_sse.c - an answer that goes on: its head by hand, then an event for
 * each that the operation tells. */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "web/graphql_sse.h"
#include "web/live_client.h"
#include "web/operation.h"
#include "web/request.h"

#define TICK_MS	  500
#define ALIVE_NS  INT64_C(15000000000)
#define LINGER_NS INT64_C(2000000000)
#define QUEUE_MAX (4u << 20)
#define IDLE_MS	  60000u

struct stream {
	struct live_client credentials;
	struct connection *c;
	struct operation *operation; /* NULL: it has ended */
	size_t queued;
	bool ending, shut;
	int64_t until_ns; /* the next sign of life; ending: at most */
	struct stream *next, **at;
};

static struct stream *streams;

static const char head[] = "HTTP/1.1 200 OK\r\nserver: open\r\n"
			   "content-type: text/event-stream; charset=utf-8\r\n"
			   "cache-control: no-store\r\n"
			   "x-accel-buffering: no\r\n"
			   "x-content-type-options: nosniff\r\n"
			   "connection: close\r\n\r\n";

/* --- the end -------------------------------------------------------------- */

static void
release(struct stream *s)
{
	if (s->operation != NULL)
		operation_end(s->operation);
	s->operation = NULL;
	live_client_end(&s->credentials);
}

/* Kore drops the connection. */
static void
gone(struct connection *c)
{
	struct stream *s = c->hdlr_extra;

	if (s == NULL)
		return;
	c->hdlr_extra = NULL;
	release(s);
	*s->at = s->next;
	if (s->next != NULL)
		s->next->at = s->at;
	free(s);
}

/* Nothing is freed now: somebody may be telling others. What was sent leaves,
 * then the connection ends. */
static void
end(struct stream *s)
{
	if (s->ending)
		return;
	s->ending = true;
	s->until_ns = clock_mono_ns() + LINGER_NS;
}

static void
end_writing(struct stream *s)
{
	release(s);
	if (s->shut || !TAILQ_EMPTY(&s->c->send_queue))
		return;
	s->shut = true;
	shutdown(s->c->fd, SHUT_WR);
}

/* --- sending -------------------------------------------------------------- */

static int
sent(struct netbuf *nb)
{
	struct stream *s = nb->owner->hdlr_extra;

	if (s != NULL)
		s->queued -= nb->b_len;
	free(nb->buf);
	return KORE_RESULT_OK;
}

static void
stream_send(struct stream *s, struct buf *b)
{
	size_t len = 0;
	char *data;

	if (s->ending || (s->queued > 0 && s->queued + b->len > QUEUE_MAX) ||
	    (data = buf_take(b, &len)) == NULL) {
		buf_free(b);
		end(s);
		return;
	}
	s->queued += len;
	net_send_stream(s->c, data, len, sent, NULL);
	if (!net_send_flush(s->c))
		shutdown(s->c->fd, SHUT_RDWR);
}

static void
on_next(void *arg, const char *payload, size_t len)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "event: next\ndata: ");
	buf_put(&b, payload, len); /* JSON without line ends */
	buf_puts(&b, "\n\n");
	stream_send(arg, &b);
}

static void
on_complete(void *arg)
{
	struct stream *s = arg;
	struct buf b;

	s->operation = NULL;
	buf_create(&b, 0);
	buf_puts(&b, "event: complete\ndata: \n\n");
	stream_send(s, &b);
	end(s);
}

static void
on_error(void *arg, const char *errors, size_t len)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"errors\":");
	buf_put(&b, errors, len);
	buf_putc(&b, '}');
	if (!buf_failed(&b))
		on_next(arg, b.data, b.len);
	buf_free(&b);
	on_complete(arg);
}

static void
on_refused(void *arg)
{
	struct stream *s = arg;

	s->operation = NULL;
	end(s);
}

static const struct operation_events events = {
    on_next, on_error, on_complete, on_refused};

static void
checked(struct live_client *l, bool counts)
{
	if (!counts)
		end((struct stream *)(void *)l);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();
	struct stream *s, *next;
	struct buf b;

	(void)arg;
	(void)now_ms;
	for (s = streams; s != NULL; s = next) {
		next = s->next;
		if (s->ending)
			end_writing(s);
		if (now < s->until_ns)
			continue;
		if (s->ending) {
			kore_connection_disconnect(s->c);
			continue;
		}
		s->until_ns = now + ALIVE_NS;
		buf_create(&b, 0);
		buf_puts(&b, ":\n\n");
		stream_send(s, &b);
	}
}

/* --- the start ------------------------------------------------------------ */

bool
graphql_sse_wanted(struct flow *f)
{
	const char *accept = flow_header(f, "accept");

	return !flow_is_call(f) && accept != NULL &&
	       strcasestr(accept, "text/event-stream") != NULL;
}

/* A client has nothing more to say. */
static int
discard(struct netbuf *nb)
{
	net_recv_reset(nb->owner, 1, discard);
	return KORE_RESULT_OK;
}

static void
take_connection(struct flow *f, struct stream *s)
{
	struct connection *c = f->req->owner;

	f->answered = true;
	f->phase = PHASE_ANSWERED;
	f->req->status = 200;
	s->c = c;
	s->until_ns = clock_mono_ns() + ALIVE_NS;
	s->next = streams;
	s->at = &streams;
	if (streams != NULL)
		streams->at = &s->next;
	streams = s;
	c->proto = CONN_PROTO_UNKNOWN;
	c->hdlr_extra = s;
	c->disconnect = gone;
	c->http_timeout = 0;
	c->idle_timer.length = IDLE_MS;
	c->rnb->flags &= ~NETBUF_CALL_CB_ALWAYS;
	net_recv_reset(c, 1, discard);
	net_send_queue(c, head, sizeof(head) - 1);
}

static enum flow_next
no_memory(struct flow *f, struct stream *s)
{
	if (s != NULL)
		release(s);
	free(s);
	return flow_fail(f, 503, "overloaded", "The server has no memory.");
}

enum flow_next
graphql_sse_accept(struct flow *f)
{
	struct stream *s = calloc(1, sizeof(*s));
	const char *body;
	size_t len;

	if (s == NULL || !live_client_begin(&s->credentials, f, checked))
		return no_memory(f, s);
	body = flow_body(f, &len);
	s->credentials.checked_ns = clock_mono_ns(); /* by this request */
	s->operation =
	    operation_start(&s->credentials.origin, body, len, &events, s);
	if (s->operation == NULL)
		return no_memory(f, s);
	take_connection(f, s);
	return FLOW_DONE;
}

void
graphql_sse_start(void)
{
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
