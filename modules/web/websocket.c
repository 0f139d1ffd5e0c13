/* websocket.c - reading by Kore's read buffer: the first two bytes of a frame,
 * its head, its payload.
 *
 *   open ──(close frame, error, websocket_close)──► closing ──► gone
 *
 * A socket that closes sends what tells why, then its end, and reads until the
 * client's; what lasts longer is cut off.
 */
#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "web/kore_api.h"
#include "web/request.h"
#include "web/websocket.h"

#define TICK_MS	  500
#define LINGER_NS INT64_C(2000000000)
#define PING_NS	  INT64_C(60000000000)
#define IDLE_MS	  150000u
#define TOGETHER  8192u /* bytes of frames that are sent at once */

struct websocket {
	struct connection *c;
	const struct websocket_events *events; /* NULL: closing */
	void *arg;
	struct ws_head head;
	struct buf message; /* fragments so far */
	bool fragmented, binary, shut;
	size_t queued;
	int64_t until_ns; /* closing: … at most; else the next ping */
	bool corked;	  /* in the list of … */
	struct websocket *cork_next, **cork_at;
	struct websocket *next, **at;
};

static struct websocket *sockets;
static struct {
	bool on;
	struct websocket *first; /* have something that was not sent */
} cork;

static int read_first(struct netbuf *);
static int read_head(struct netbuf *);
static int read_payload(struct netbuf *);

/* --- sending -------------------------------------------------------------- */

/* Sent, or dropped. */
static int
sent(struct netbuf *nb)
{
	struct websocket *ws = nb->owner->hdlr_extra;

	if (ws != NULL)
		ws->queued -= nb->b_len;
	free(nb->buf);
	return KORE_RESULT_OK;
}

/* A socket that fails is found by the event loop: nobody is freed here. */
static void
flush(struct websocket *ws)
{
	if (!net_send_flush(ws->c))
		shutdown(ws->c->fd, SHUT_RDWR);
}

static void
cork_leave(struct websocket *ws)
{
	if (!ws->corked)
		return;
	ws->corked = false;
	*ws->cork_at = ws->cork_next;
	if (ws->cork_next != NULL)
		ws->cork_next->cork_at = ws->cork_at;
}

static void
cork_join(struct websocket *ws)
{
	if (ws->corked)
		return;
	ws->corked = true;
	ws->cork_next = cork.first;
	ws->cork_at = &cork.first;
	if (cork.first != NULL)
		cork.first->cork_at = &ws->cork_next;
	cork.first = ws;
}

void
websocket_cork(void)
{
	cork.on = true;
}

void
websocket_uncork(void)
{
	struct websocket *ws;

	cork.on = false;
	while ((ws = cork.first) != NULL) {
		cork_leave(ws);
		flush(ws);
	}
}

/* Behind what is ours and was not begun, so that one write sends both. */
static bool
append(struct websocket *ws, const uint8_t *head, size_t n, const char *data,
    size_t len)
{
	struct netbuf *nb = TAILQ_LAST(&ws->c->send_queue, netbuf_head);
	uint8_t *more;

	if (!ws->corked || nb == NULL || nb->cb != sent || nb->s_off != 0 ||
	    (nb->flags & NETBUF_MUST_RESEND) != 0 ||
	    nb->b_len + n + len > TOGETHER)
		return false;
	if ((more = realloc(nb->buf, nb->b_len + n + len)) == NULL)
		return false;
	memcpy(more + nb->b_len, head, n);
	if (len > 0)
		memcpy(more + nb->b_len + n, data, len);
	nb->buf = more;
	nb->b_len = nb->m_len = nb->b_len + n + len;
	ws->queued += n + len;
	return true;
}

static bool
send_frame(
    struct websocket *ws, enum ws_opcode opcode, const char *data, size_t len)
{
	uint8_t head[10], *frame;
	size_t n = ws_head_write(opcode, len, head);

	if (ws->queued > 0 && ws->queued + len > WEBSOCKET_QUEUE_MAX)
		return false;
	if (append(ws, head, n, data, len))
		return true;
	if ((frame = malloc(n + len)) == NULL)
		return false;
	memcpy(frame, head, n);
	if (len > 0)
		memcpy(frame + n, data, len);
	ws->queued += n + len;
	net_send_stream(ws->c, frame, n + len, sent, NULL);
	if (cork.on)
		cork_join(ws);
	else
		flush(ws);
	return true;
}

bool
websocket_send(struct websocket *ws, const char *text, size_t len)
{
	return ws->events != NULL && send_frame(ws, WS_TEXT, text, len);
}

size_t
websocket_queued(const struct websocket *ws)
{
	return ws->queued;
}

/* --- the end -------------------------------------------------------------- */

/* All but what was begun. */
static void
drop_queue(struct websocket *ws)
{
	struct netbuf *nb, *next;

	for (nb = TAILQ_FIRST(&ws->c->send_queue); nb != NULL; nb = next) {
		next = TAILQ_NEXT(nb, list);
		if (nb->s_off == 0 && (nb->flags & NETBUF_IS_STREAM) != 0 &&
		    nb->cb == sent)
			net_remove_netbuf(ws->c, nb);
	}
}

static void
end_writing(struct websocket *ws)
{
	if (ws->shut || !TAILQ_EMPTY(&ws->c->send_queue))
		return;
	ws->shut = true;
	shutdown(ws->c->fd, SHUT_WR);
}

void
websocket_close(struct websocket *ws, unsigned code, const char *reason)
{
	size_t len = strlen(reason);
	char frame[125];

	if (ws->events == NULL)
		return;
	ws->events = NULL;
	ws->until_ns = clock_mono_ns() + LINGER_NS;
	drop_queue(ws);
	frame[0] = (char)(code >> 8);
	frame[1] = (char)code;
	if (len > sizeof(frame) - 2)
		len = sizeof(frame) - 2;
	memcpy(frame + 2, reason, len);
	send_frame(ws, WS_CLOSE, frame, len + 2);
	end_writing(ws);
}

/* On behalf of the socket itself. */
static void
fail(struct websocket *ws, unsigned code, const char *reason)
{
	const struct websocket_events *events = ws->events;
	void *arg = ws->arg;

	if (events == NULL)
		return;
	websocket_close(ws, code, reason);
	events->gone(arg);
}

static void
ended(struct connection *c)
{
	struct websocket *ws = c->hdlr_extra;
	const struct websocket_events *events;

	if (ws == NULL)
		return;
	c->hdlr_extra = NULL;
	cork_leave(ws);
	*ws->at = ws->next;
	if (ws->next != NULL)
		ws->next->at = ws->at;
	if ((events = ws->events) != NULL)
		events->gone(ws->arg);
	buf_free(&ws->message);
	free(ws);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	struct websocket *ws, *next;
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	for (ws = sockets; ws != NULL; ws = next) {
		next = ws->next;
		if (ws->events == NULL)
			end_writing(ws);
		if (now < ws->until_ns)
			continue;
		if (ws->events == NULL) {
			kore_connection_disconnect(ws->c);
		} else {
			ws->until_ns = now + PING_NS;
			send_frame(ws, WS_PING, "", 0);
		}
	}
}

/* --- receiving ------------------------------------------------------------ */

/* Nothing of a socket that closes is looked at. */
static int
discard(struct netbuf *nb)
{
	net_recv_reset(nb->owner, WS_HEAD_FIRST, discard);
	return KORE_RESULT_OK;
}

static int
go_on(struct connection *c)
{
	const struct websocket *ws = c->hdlr_extra;

	net_recv_reset(
	    c, WS_HEAD_FIRST, ws->events == NULL ? discard : read_first);
	return KORE_RESULT_OK;
}

static int
read_first(struct netbuf *nb)
{
	struct websocket *ws = nb->owner->hdlr_extra;
	size_t size;

	if (ws == NULL)
		return KORE_RESULT_ERROR;
	size = ws_head_size(nb->buf);
	if (size == 0) {
		fail(ws, WS_PROTOCOL_ERROR, "Not a frame of RFC 6455");
		return go_on(nb->owner);
	}
	net_recv_expand(nb->owner, size - WS_HEAD_FIRST, read_head);
	return KORE_RESULT_OK;
}

static int
read_head(struct netbuf *nb)
{
	struct websocket *ws = nb->owner->hdlr_extra;

	if (!ws_head_read(nb->buf, &ws->head))
		fail(ws, WS_PROTOCOL_ERROR, "Not a frame of RFC 6455");
	else if (ws->head.len > WEBSOCKET_MESSAGE_MAX - ws->message.len)
		fail(ws, WS_TOO_BIG, "The message is too long");
	if (ws->events == NULL)
		return go_on(nb->owner);
	if (ws->head.len == 0)
		return read_payload(nb);
	net_recv_reset(nb->owner, (size_t)ws->head.len, read_payload);
	return KORE_RESULT_OK;
}

static void
deliver(struct websocket *ws)
{
	struct buf whole = ws->message;

	buf_create(&ws->message, 0);
	ws->fragmented = false;
	buf_putc(&whole, '\0');
	if (buf_failed(&whole))
		fail(ws, WS_TRY_AGAIN, "Out of memory");
	else if (!ws->binary &&
		 utf8_valid(whole.data, whole.len - 1) != whole.len - 1)
		fail(ws, WS_INVALID_DATA, "Not UTF-8");
	else
		ws->events->message(
		    ws->arg, whole.data, whole.len - 1, ws->binary);
	buf_free(&whole);
}

static void
on_data(struct websocket *ws, const uint8_t *data, size_t len)
{
	bool first = ws->head.opcode != WS_CONTINUATION;

	if (first == ws->fragmented) {
		fail(ws, WS_PROTOCOL_ERROR, "Fragments out of order");
		return;
	}
	if (first)
		ws->binary = ws->head.opcode == WS_BINARY;
	ws->fragmented = true;
	buf_put(&ws->message, (const char *)data, len);
	if (ws->head.final)
		deliver(ws);
}

/* Answered with what it said. */
static void
on_close(struct websocket *ws, const uint8_t *data, size_t len)
{
	unsigned code = len >= 2 ? (unsigned)data[0] << 8 | data[1] : WS_NORMAL;

	if (len == 1 || !ws_code_valid(code))
		code = WS_PROTOCOL_ERROR;
	else if (len > 2 &&
		 utf8_valid((const char *)data + 2, len - 2) != len - 2)
		code = WS_PROTOCOL_ERROR;
	fail(ws, code, "");
}

static int
read_payload(struct netbuf *nb)
{
	struct connection *c = nb->owner;
	struct websocket *ws = c->hdlr_extra;
	size_t len = (size_t)ws->head.len;

	ws_unmask(nb->buf, len, ws->head.mask);
	switch (ws->head.opcode) {
	case WS_PING:
		if (!send_frame(ws, WS_PONG, (const char *)nb->buf, len))
			fail(ws, WS_TRY_AGAIN, "The client is too slow");
		break;
	case WS_PONG:
		break;
	case WS_CLOSE:
		on_close(ws, nb->buf, len);
		break;
	case WS_TEXT:
	case WS_BINARY:
	case WS_CONTINUATION:
		on_data(ws, nb->buf, len);
		break;
	}
	return go_on(c);
}

/* --- handshake ------------------------------------------------------------ */

/* Whether a list of tokens, separated by commas, has one. */
static bool
list_has(const char *list, const char *token, bool any_case)
{
	size_t n = strlen(token), len;

	for (; list != NULL && *list != '\0'; list += len) {
		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len == n && (any_case ? strncasecmp(list, token, n)
					  : strncmp(list, token, n)) == 0)
			return true;
	}
	return false;
}

bool
websocket_wanted(struct flow *f)
{
	return strcmp(flow_method(f), "GET") == 0 &&
	       list_has(flow_header(f, "upgrade"), "websocket", true) &&
	       list_has(flow_header(f, "connection"), "upgrade", true);
}

bool
websocket_offers(struct flow *f, const char *protocol)
{
	return list_has(
	    flow_header(f, "sec-websocket-protocol"), protocol, false);
}

static bool
handshake_valid(struct flow *f)
{
	const char *version = flow_header(f, "sec-websocket-version");
	const char *key = flow_header(f, "sec-websocket-key");

	if (version == NULL || strcmp(version, "13") != 0) {
		flow_answer_header(f, "sec-websocket-version", "13");
		flow_fail(f, 426, "upgrade_required",
		    "Only version 13 of WebSocket is spoken here.");
		return false;
	}
	if (key == NULL || strlen(key) != 24) {
		flow_fail(f, 400, "invalid_handshake",
		    "Sec-WebSocket-Key must be 16 bytes in base64.");
		return false;
	}
	return true;
}

static void
list_add(struct websocket *ws)
{
	ws->next = sockets;
	ws->at = &sockets;
	if (sockets != NULL)
		sockets->at = &ws->next;
	sockets = ws;
}

struct websocket *
websocket_accept(struct flow *f, const char *protocol,
    const struct websocket_events *events, void *arg)
{
	struct connection *c = f->req->owner;
	struct websocket *ws;

	if (!handshake_valid(f))
		return NULL;
	if ((ws = calloc(1, sizeof(*ws))) == NULL) {
		flow_fail(f, 503, "overloaded", "The server has no memory.");
		return NULL;
	}
	ws->c = c;
	ws->events = events;
	ws->arg = arg;
	ws->until_ns = clock_mono_ns() + PING_NS;
	buf_create(&ws->message, 0);
	list_add(ws);
	if (protocol != NULL)
		http_response_header(
		    f->req, "sec-websocket-protocol", protocol);
	f->answered = true;
	f->phase = PHASE_ANSWERED;
	c->hdlr_extra = ws;
	kore_websocket_handshake(f->req, NULL, NULL, NULL);
	c->disconnect = ended;
	c->idle_timer.length = IDLE_MS;
	net_recv_reset(c, WS_HEAD_FIRST, read_first);
	return ws;
}

void
websocket_init(void)
{
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
