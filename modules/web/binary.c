/* binary.c - PostgreSQL's binary format: big-endian, lengths before values. */

#include <endian.h>
#include <string.h>

#include "web/binary.h"

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01, from 1970 */

static void
put32(struct buf *b, uint32_t n)
{
	n = htobe32(n);
	buf_put(b, &n, sizeof(n));
}

void
binary_array(struct buf *b, uint32_t oid, uint32_t count)
{
	put32(b, count == 0 ? 0 : 1); /* dimensions */
	put32(b, 1);		      /* there may be nulls */
	put32(b, oid);
	if (count == 0)
		return;
	put32(b, count);
	put32(b, 1); /* lower bound */
}

void
binary_null(struct buf *b)
{
	put32(b, UINT32_MAX);
}

void
binary_bytes(struct buf *b, const void *data, size_t len)
{
	put32(b, (uint32_t)len);
	buf_put(b, data, len);
}

void
binary_char(struct buf *b, char c)
{
	binary_bytes(b, &c, 1);
}

void
binary_int2(struct buf *b, int16_t n)
{
	uint16_t wire = htobe16((uint16_t)n);

	binary_bytes(b, &wire, sizeof(wire));
}

void
binary_int4(struct buf *b, int32_t n)
{
	uint32_t wire = htobe32((uint32_t)n);

	binary_bytes(b, &wire, sizeof(wire));
}

void
binary_int8(struct buf *b, int64_t n)
{
	uint64_t wire = htobe64((uint64_t)n);

	binary_bytes(b, &wire, sizeof(wire));
}

void
binary_uuid(struct buf *b, const struct uuid *id)
{
	binary_bytes(b, id->bytes, sizeof(id->bytes));
}

void
binary_time(struct buf *b, int64_t real_us)
{
	if (real_us == 0)
		binary_null(b);
	else
		binary_int8(b, real_us - EPOCH_US);
}

void
binary_text(struct buf *b, const char *text, size_t len)
{
	if (text == NULL)
		binary_null(b);
	else
		binary_bytes(b, text, len);
}

size_t
binary_begin(struct buf *b)
{
	put32(b, 0);
	return b->len - sizeof(uint32_t);
}

void
binary_end(struct buf *b, size_t place)
{
	uint32_t n;

	if (buf_failed(b))
		return;
	n = htobe32((uint32_t)(b->len - place - sizeof(n)));
	memcpy(b->data + place, &n, sizeof(n));
}

void
binary_composite(struct buf *b, uint32_t fields)
{
	put32(b, fields);
}

void
binary_field(struct buf *b, uint32_t oid)
{
	put32(b, oid);
}
