/* websocket.h - a WebSocket on one of Kore's connections.
 *
 * Why not Kore's own: it takes a message's first fragment for the whole,
 *           refuses the others, and closes without a code.
 * Owner:    Kore's connection owns the socket; it ends with the connection, or
 *           with websocket_close, and neither calls back afterwards.
 * Receives: whole text messages of at most WEBSOCKET_MESSAGE_MAX bytes; pings
 *           are answered, and one is sent every minute. What breaks RFC 6455
 *           closes it: 1002, 1007 (no UTF-8), 1009 (too long).
 * Sends:    what the client does not take waits in memory, at most
 *           WEBSOCKET_QUEUE_MAX bytes; then websocket_send says so.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_WEBSOCKET_H
#define OPEN_WEB_WEBSOCKET_H

#include "web/flow.h"
#include "web/ws_frame.h"

#define WEBSOCKET_MESSAGE_MAX (1u << 20)
#define WEBSOCKET_QUEUE_MAX   (4u << 20)

struct websocket;

struct websocket_events {
	/* text is the socket's, ended by NUL; may be written to. binary: it
	 * is not text. */
	void (*message)(void *arg, char *text, size_t len, bool binary);
	void (*gone)(void *arg);
};

/* Whether the request asks for a WebSocket. */
bool websocket_wanted(struct flow *);
/* Answers the handshake. protocol: what the answer names, of what was offered;
 * NULL: none. NULL: it was refused, and is answered. */
struct websocket *websocket_accept(struct flow *, const char *protocol,
    const struct websocket_events *, void *arg);
/* Whether the client offers the subprotocol. */
bool websocket_offers(struct flow *, const char *protocol);
/* False: the client is too slow for it; nothing was sent. */
bool websocket_send(struct websocket *, const char *text, size_t len);
/* Bytes that wait for the client. */
size_t websocket_queued(const struct websocket *);
/* What waits is dropped, the code sent; no event follows. reason: at most 123
 * bytes. */
void websocket_close(struct websocket *, unsigned code, const char *reason);

/* In between, what is sent waits, and leaves with few system calls. */
void websocket_cork(void);
void websocket_uncork(void);

void websocket_init(void); /* once per worker */

#endif
