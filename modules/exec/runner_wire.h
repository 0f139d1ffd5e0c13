/* runner_wire.h - what an arena and the runner say to one another: frames over
 * a Unix stream, both ends built from one source, so in native byte order.
 *
 *   header   u32 bytes of payload, u32 type, u64 the call's id
 *   START    text execution, text node, u32 attempt, u32 tenant, u32 priority
 *            over PRIORITY_MIN, u32 argc, text argv…, u32 variables, text
 *            "NAME=value"…, u32 has stdin, text stdin
 *   STOP     nothing
 *   DONE     u32 enum wire_end, u32 value, u64 CPU ns, text stdout, text stderr
 *   text     u32 bytes, bytes
 *
 * Fails:    reading is sticky; whoever sent a malformed frame is disconnected.
 */
#ifndef OPEN_EXEC_RUNNER_WIRE_H
#define OPEN_EXEC_RUNNER_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define WIRE_FRAME_MAX (64u << 20)

enum wire_type {
	WIRE_START = 1,
	WIRE_STOP,
	WIRE_DONE
};

/* How a command ended, and what the value is. */
enum wire_end {
	WIRE_EXITED,	 /* exit code */
	WIRE_SIGNALLED,	 /* signal */
	WIRE_TOO_LARGE,	 /* nothing: it was killed for what it printed */
	WIRE_NOT_STARTED /* errno */
};

struct wire_header {
	uint32_t length, type;
	uint64_t id;
};

struct wire_text {
	const char *data;
	uint32_t len;
};

/* Writing: begin, fields, end. */
size_t wire_begin(struct buf *b, enum wire_type type, uint64_t id);
void wire_end(struct buf *b, size_t frame); /* frame: what begin returned */
void wire_put_u32(struct buf *b, uint32_t n);
void wire_put_u64(struct buf *b, uint64_t n);
void wire_put_text(struct buf *b, const char *data, size_t len);

/* Sends what the socket takes now without waiting, and wipes it from b; false:
 * the connection is lost, or b had failed. */
bool wire_flush(int fd, struct buf *b);

struct wire_reader {
	const char *at, *end;
	bool failed;
};
uint32_t wire_u32(struct wire_reader *r);
uint64_t wire_u64(struct wire_reader *r);
struct wire_text wire_text(struct wire_reader *r);
bool wire_finished(const struct wire_reader *r); /* all read, nothing failed */

/* 1: a whole frame lies at data, *h is its header and the payload follows it;
 * 0: more bytes are needed; -1: this can't be a frame. */
int wire_frame(
    const char *data, size_t len, uint32_t max, struct wire_header *h);

#endif
