/* runner_wire.c - frames are written and read. */
#include "exec/runner_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/guard.h"

size_t
wire_begin(struct buf *b, enum wire_type type, uint64_t id)
{
	struct wire_header h = {.type = type, .id = id};
	size_t frame = b->len;

	buf_put(b, &h, sizeof(h));
	return frame;
}

void
wire_end(struct buf *b, size_t frame)
{
	size_t length = b->len - frame - sizeof(struct wire_header);
	uint32_t n = (uint32_t)length;

	if (buf_failed(b))
		return;
	if (length > WIRE_FRAME_MAX)
		b->failed = true;
	else
		memcpy(b->data + frame, &n, sizeof(n));
}

void
wire_put_u32(struct buf *b, uint32_t n)
{
	buf_put(b, &n, sizeof(n));
}

void
wire_put_u64(struct buf *b, uint64_t n)
{
	buf_put(b, &n, sizeof(n));
}

void
wire_put_text(struct buf *b, const char *data, size_t len)
{
	if (len > WIRE_FRAME_MAX)
		b->failed = true;
	wire_put_u32(b, (uint32_t)len);
	buf_put(b, data, len);
}

static const char *
take(struct wire_reader *r, size_t len)
{
	const char *at = r->at;

	if (r->failed || (size_t)(r->end - at) < len) {
		r->failed = true;
		return NULL;
	}
	r->at += len;
	return at;
}

uint32_t
wire_u32(struct wire_reader *r)
{
	const char *at = take(r, sizeof(uint32_t));
	uint32_t n = 0;

	if (at != NULL)
		memcpy(&n, at, sizeof(n));
	return n;
}

uint64_t
wire_u64(struct wire_reader *r)
{
	const char *at = take(r, sizeof(uint64_t));
	uint64_t n = 0;

	if (at != NULL)
		memcpy(&n, at, sizeof(n));
	return n;
}

struct wire_text
wire_text(struct wire_reader *r)
{
	uint32_t len = wire_u32(r);
	const char *at = take(r, len);

	return at != NULL ? (struct wire_text){at, len}
			  : (struct wire_text){"", 0};
}

bool
wire_finished(const struct wire_reader *r)
{
	return !r->failed && r->at == r->end;
}

int
wire_frame(const char *data, size_t len, uint32_t max, struct wire_header *h)
{
	if (len < sizeof(*h))
		return 0;
	memcpy(h, data, sizeof(*h));
	if (h->length > max || h->type < WIRE_START || h->type > WIRE_DONE)
		return -1;
	return len - sizeof(*h) >= h->length;
}

bool
wire_flush(int fd, struct buf *b)
{
	size_t sent = 0;
	ssize_t n = 0;

	while (sent < b->len) {
		n = send(fd, b->data + sent, b->len - sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	if (buf_failed(b) || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (sent > 0) {
		memmove(b->data, b->data + sent, b->len - sent);
		b->len -= sent;
		guard_wipe(b->data + b->len, sent);
	}
	return true;
}
