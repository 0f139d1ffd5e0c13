/* ws_frame.c - RFC 6455, section 5.2. */
#include <string.h>

#include "web/ws_frame.h"

#define FINAL	 0x80u
#define RESERVED 0x70u
#define OPCODE	 0x0fu
#define MASKED	 0x80u
#define LENGTH	 0x7fu
#define LEN_16	 126u
#define LEN_64	 127u

size_t
ws_head_size(const uint8_t first[WS_HEAD_FIRST])
{
	unsigned opcode = first[0] & OPCODE, len = first[1] & LENGTH;

	if ((first[0] & RESERVED) != 0 || (first[1] & MASKED) == 0)
		return 0;
	if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
		return 0;
	if (opcode >= WS_CLOSE && (len >= LEN_16 || (first[0] & FINAL) == 0))
		return 0;
	return WS_HEAD_FIRST +
	       (len == LEN_16	   ? 2u
		   : len == LEN_64 ? 8u
				   : 0u) +
	       4u;
}

bool
ws_head_read(const uint8_t *b, struct ws_head *out)
{
	unsigned len = b[1] & LENGTH;
	size_t at = WS_HEAD_FIRST, n = len == LEN_16   ? 2
				       : len == LEN_64 ? 8
						       : 0;
	uint64_t least = n == 2 ? LEN_16 : n == 8 ? 0x10000u : 0;

	out->opcode = (enum ws_opcode)(b[0] & OPCODE);
	out->final = (b[0] & FINAL) != 0;
	out->len = n == 0 ? len : 0;
	for (; n > 0; n--)
		out->len = out->len << 8 | b[at++];
	memcpy(out->mask, b + at, sizeof(out->mask));
	out->size = at + sizeof(out->mask);
	return out->len >= least && out->len >> 63 == 0;
}

void
ws_unmask(uint8_t *payload, size_t len, const uint8_t mask[4])
{
	size_t i;

	for (i = 0; i < len; i++)
		payload[i] ^= mask[i % 4];
}

size_t
ws_head_write(enum ws_opcode opcode, size_t len, uint8_t out[10])
{
	size_t n = len < LEN_16 ? 0 : len < 0x10000 ? 2 : 8, i;

	out[0] = (uint8_t)(FINAL | opcode);
	out[1] = (uint8_t)(n == 0 ? len : n == 2 ? LEN_16 : LEN_64);
	for (i = 0; i < n; i++)
		out[WS_HEAD_FIRST + i] =
		    (uint8_t)((uint64_t)len >> (8 * (n - 1 - i)));
	return WS_HEAD_FIRST + n;
}

bool
ws_code_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
