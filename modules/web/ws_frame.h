/* ws_frame.h - frames of WebSocket (RFC 6455, section 5): heads read and
 * written, payloads unmasked.
 *
 * Process:  pure, any thread.
 */
#ifndef OPEN_WEB_WS_FRAME_H
#define OPEN_WEB_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10
};

/* Codes of section 7.4.1 that we send. */
enum ws_code {
	WS_NORMAL = 1000,
	WS_GOING_AWAY = 1001,
	WS_PROTOCOL_ERROR = 1002,
	WS_INVALID_DATA = 1007,
	WS_TOO_BIG = 1009,
	WS_TRY_AGAIN = 1013
};

struct ws_head {
	enum ws_opcode opcode;
	bool final;
	uint8_t mask[4];
	uint64_t len; /* of the payload */
	size_t size;  /* of the head */
};

#define WS_HEAD_FIRST 2	 /* bytes that tell how long a head is */
#define WS_HEAD_MAX   14 /* of a client's frame */

/* How long a client's head is, from its first two bytes; 0: the frame breaks
 * the protocol (reserved bits or opcodes, no mask, a control frame that is long
 * or in pieces). */
size_t ws_head_size(const uint8_t first[WS_HEAD_FIRST]);
/* bytes: ws_head_size of them. False: its length is not as short as can be. */
bool ws_head_read(const uint8_t *bytes, struct ws_head *out);
void ws_unmask(uint8_t *payload, size_t len, const uint8_t mask[4]);
/* A server's head for a whole message; its size, at most 10. */
size_t ws_head_write(enum ws_opcode, size_t len, uint8_t out[10]);
/* Whether a client may send the code in a close frame (section 7.4). */
bool ws_code_valid(unsigned code);

#endif
