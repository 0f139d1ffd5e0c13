/* receive.c - between the socket and Kore's reading of headers.
 *
 * What Kore 4.1.0 does otherwise: a POST without a body needs a Content-Length
 * (curl -X POST sends none); `Expect: 100-continue` waits in vain; a header
 * that is too large is cut off without a word, a body that is too large has an
 * empty answer; what a client sends behind a
 * request is lost without a word, and behind a body it breaks the counting.
 * So: a Content-Length of 0 is written in, 100, 413 and 431 are sent, and what comes
 * behind is dropped and the connection ended with the answer, so that the
 * client sends it again. And Kore answers 408 where nothing was asked for ten
 * seconds, which a client takes for the answer to what it sends just then.
 *
 * The routes' server block names web_connect in its bind line.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/receive.h"

void web_connect(struct connection *);

static const char no_body[] = "content-length: 0\r\n";
static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
#define CLOSING                                                                \
	"\r\nserver: open\r\nconnection: close\r\n"                            \
	"content-type: application/vnd.api+json\r\n"
static const char header_too_large[] =
    "HTTP/1.1 431 Request Header Fields Too Large" CLOSING
    "content-length: 82\r\n\r\n"
    "{\"errors\":[{\"status\":\"431\",\"code\":\"header_too_large\",\"title\":"
    "\"Header too large\"}]}";
static const char body_too_large[] =
    "HTTP/1.1 413 Content Too Large" CLOSING "content-length: 78\r\n\r\n"
    "{\"errors\":[{\"status\":\"413\",\"code\":\"body_too_large\",\"title\":"
    "\"Body too large\"}]}";

/* The value of a header line in text (not NUL-terminated); NULL: none. */
static const char *
header_value(const char *text, size_t len, const char *name)
{
	const char *end = text + len, *line = text, *eol;
	size_t n = strlen(name);

	while (line < end) {
		eol = memchr(line, '\n', (size_t)(end - line));
		if (eol == NULL)
			return NULL;
		line = eol + 1;
		if ((size_t)(end - line) > n && line[n] == ':' &&
		    strncasecmp(line, name, n) == 0) {
			line += n + 1;
			while (line < end && (*line == ' ' || *line == '\t'))
				line++;
			return line;
		}
	}
	return NULL;
}

static bool
takes_body(const char *text, size_t len)
{
	return (len > 5 && strncasecmp(text, "post ", 5) == 0) ||
	       (len > 4 && strncasecmp(text, "put ", 4) == 0) ||
	       (len > 6 && strncasecmp(text, "patch ", 6) == 0);
}

/* After the request line; false: no room. */
static bool
insert_no_body(struct netbuf *nb)
{
	char *text = (char *)nb->buf, *eol;
	size_t n = sizeof(no_body) - 1, at;

	eol = memchr(text, '\n', nb->s_off);
	if (eol == NULL || nb->s_off + n > nb->b_len)
		return false;
	at = (size_t)(eol + 1 - text);
	memmove(text + at + n, text + at, nb->s_off - at);
	memcpy(text + at, no_body, n);
	nb->s_off += n;
	return true;
}

static void
send_raw(struct connection *c, const char *text, size_t len)
{
	net_send_queue(c, text, len);
	(void)net_send_flush(c);
}

static int
refuse(struct connection *c, const char *text, size_t len)
{
	c->flags |= CONN_CLOSE_EMPTY;
	send_raw(c, text, len);
	return KORE_RESULT_ERROR;
}

/* The whole header is there, head bytes of it. False: the body is far too
 * large to be read. */
static bool
adjust(struct netbuf *nb, size_t head)
{
	struct connection *c = nb->owner;
	const char *text = (const char *)nb->buf, *value;
	size_t body = 0;

	if (takes_body(text, head)) {
		value = header_value(text, head, "content-length");
		if (value != NULL) {
			body = strtoul(value, NULL, 10);
			if (body > http_body_max)
				return false;
			value = header_value(text, head, "expect");
			if (value != NULL && nb->s_off == head && body > 0 &&
			    strncasecmp(value, "100-", 4) == 0)
				send_raw(c, go_on, sizeof(go_on) - 1);
		} else if (insert_no_body(nb)) {
			head += sizeof(no_body) - 1;
		}
	}
	if (nb->s_off - head > body) {
		nb->s_off = head + body;
		c->flags |= CONNECTION_ENDS;
	}
	return true;
}

static int
header_recv(struct netbuf *nb)
{
	const char *end;

	/* The clock of a header runs from its first byte. */
	if (nb->owner->http_timeout == 0 && nb->s_off > 0) {
		nb->owner->http_start = kore_time_ms();
		nb->owner->http_timeout = http_header_timeout * 1000u;
	}
	if (nb->s_off < 4)
		return KORE_RESULT_OK;
	end = kore_mem_find(nb->buf, nb->s_off, "\r\n\r\n", 4);
	if (end == NULL && nb->s_off == nb->b_len)
		return refuse(
		    nb->owner, header_too_large, sizeof(header_too_large) - 1);
	if (end != NULL &&
	    !adjust(nb, (size_t)(end + 4 - (const char *)nb->buf)))
		return refuse(
		    nb->owner, body_too_large, sizeof(body_too_large) - 1);
	return http_header_recv(nb);
}

/* Kore's answer makes it read the next header itself: it must not read before
 * that is ours again. */
void
receive_answer(
    struct http_request *req, int status, const void *body, size_t len)
{
	struct connection *c = req->owner;
	int readable = c->evt.flags & KORE_EVENT_READ;

	if (c->flags & CONNECTION_ENDS)
		c->flags |= CONN_CLOSE_EMPTY;
	c->evt.flags &= ~KORE_EVENT_READ;
	http_response(req, status, body, len);
	c->evt.flags |= readable;
	if (c->flags & CONN_CLOSE_EMPTY || c->rnb == NULL)
		return;
	c->http_timeout = 0; /* nothing came yet: the idle timer counts */
	c->rnb->cb = header_recv;
	(void)net_recv_flush(c);
}

/* What Kore does for a connection of HTTP, with our reading of headers. */
void
web_connect(struct connection *c)
{
	c->state = CONN_STATE_ESTABLISHED;
	c->proto = CONN_PROTO_HTTP;
	if (http_keepalive_time != 0)
		c->idle_timer.length = http_keepalive_time * 1000u;
	c->http_timeout = 0;
	kore_connection_start_idletimer(c);
	net_recv_queue(c, http_header_max, NETBUF_CALL_CB_ALWAYS, header_recv);
	/* What came with the end of the handshake is told of no more. */
	if (c->ssl != NULL && c->evt.flags & KORE_EVENT_READ &&
	    !net_recv_flush(c))
		kore_connection_disconnect(c);
}
