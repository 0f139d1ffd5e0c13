/* wire.c - PostgreSQL's binary format, read. */
#include "graphql/wire.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dag/json.h"

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint64_t
get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* --- arrays and records --------------------------------------------------- */

/* dimensions, flags, type; for each dimension length and lower bound; items */
bool
wire_array(const struct wire *w, struct wire_list *list)
{
	uint32_t dimensions;

	memset(list, 0, sizeof(*list));
	if (w->len < 0)
		return true;
	if (w->len < 12 || (dimensions = get32(w->data)) > 1)
		return false;
	if (dimensions == 0)
		return true;
	if (w->len < 20)
		return false;
	list->left = get32(w->data + 12);
	list->at = w->data + 20;
	list->end = w->data + w->len;
	return list->left <= (uint32_t)w->len / 4;
}

/* columns; each type, length, bytes */
bool
wire_record(const struct wire *w, struct wire_list *list)
{
	memset(list, 0, sizeof(*list));
	if (w->len < 4)
		return false;
	list->left = get32(w->data);
	list->at = w->data + 4;
	list->end = w->data + w->len;
	return list->left <= (uint32_t)w->len / 8;
}

bool
wire_array_next(struct wire_list *list, struct wire *out)
{
	int32_t len;

	if (list->left == 0 || list->end - list->at < 4)
		return false;
	len = (int32_t)get32(list->at);
	list->at += 4;
	list->left--;
	if (len < -1 || (len > 0 && len > list->end - list->at))
		return false;
	*out = (struct wire){list->at, len};
	list->at += len > 0 ? len : 0;
	return true;
}

bool
wire_record_next(struct wire_list *list, struct wire *out)
{
	if (list->end - list->at < 8)
		return false;
	list->at += 4;
	return wire_array_next(list, out);
}

/* --- numbers -------------------------------------------------------------- */

bool
wire_integer(const struct wire *w, int64_t *n)
{
	switch (w->len) {
	case 2:
		*n = (int16_t)get16(w->data);
		return true;
	case 4:
		*n = (int32_t)get32(w->data);
		return true;
	case 8:
		*n = (int64_t)get64(w->data);
		return true;
	default:
		return false;
	}
}

/* Groups of four decimal digits; the first counts 10,000^weight. */
struct numeric {
	const uint8_t *digits;
	int count, weight, scale;
	bool negative;
};

/* False: also what is not a number, or infinite. */
static bool
numeric_read(const struct wire *w, struct numeric *n)
{
	uint16_t sign;

	if (w->len < 8)
		return false;
	n->count = get16(w->data);
	n->weight = (int16_t)get16(w->data + 2);
	sign = get16(w->data + 4);
	n->scale = get16(w->data + 6) & 0x3fff;
	n->negative = sign == 0x4000;
	n->digits = w->data + 8;
	return (sign == 0 || sign == 0x4000) && w->len == 8 + 2 * n->count;
}

static unsigned
group(const struct numeric *n, int i)
{
	return i < 0 || i >= n->count ? 0 : get16(n->digits + i * 2);
}

static void
put_group(struct buf *b, unsigned digits, int places)
{
	static const unsigned powers[] = {1000, 100, 10, 1};

	for (int i = 0; i < places; i++)
		buf_putc(b, (char)('0' + digits / powers[i] % 10));
}

bool
wire_numeric(struct buf *b, const struct wire *w)
{
	struct numeric n;
	int i;

	if (!numeric_read(w, &n))
		return false;
	if (n.negative)
		buf_putc(b, '-');
	buf_u64(b, n.weight < 0 ? 0 : group(&n, 0));
	for (i = 1; i <= n.weight; i++)
		put_group(b, group(&n, i), 4);
	if (n.scale > 0)
		buf_putc(b, '.');
	for (i = n.weight + 1; n.scale > 0; i++, n.scale -= 4)
		put_group(b, group(&n, i), n.scale < 4 ? n.scale : 4);
	return true;
}

bool
wire_microseconds(const struct wire *w, int64_t *us)
{
	struct numeric n;
	int64_t sum = 0;

	if (!numeric_read(w, &n) || n.weight > 2)
		return false;
	/* Down to 10,000^-1 of a millisecond. */
	for (int i = 0; i <= n.weight + 1; i++)
		sum = sum * 10000 + group(&n, i);
	if (n.weight < -1)
		sum = 0;
	*us = (n.negative ? -sum : sum) / 10;
	return true;
}

bool
wire_time(const struct wire *w, int64_t *us)
{
	if (w->len != 8)
		return false;
	*us = (int64_t)get64(w->data);
	if (*us == INT64_MAX || *us == INT64_MIN)
		return true;
	*us += EPOCH_US;
	return true;
}

/* --- JSON ----------------------------------------------------------------- */

/* Without the zeros at the end, as PostgreSQL prints times. */
static void
put_fraction(struct buf *b, int64_t us)
{
	char text[8] = ".000000";
	int last = 6;

	for (int i = 6; i > 0; i--, us /= 10)
		text[i] = (char)('0' + us % 10);
	while (last > 0 && text[last] == '0')
		last--;
	if (last > 0)
		buf_put(b, text, (size_t)last + 1);
}

static bool
put_time(struct buf *b, const struct wire *w)
{
	char text[TIME_TEXT];
	int64_t us;
	size_t len = 26;

	if (!wire_time(w, &us))
		return false;
	if (us == INT64_MAX || us == INT64_MIN) {
		buf_puts(b, "null");
		return true;
	}
	time_format(us, text);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	buf_putc(b, '"');
	buf_put(b, text, len);
	buf_put(b, "Z\"", 2);
	return true;
}

void
wire_duration(struct buf *b, int64_t us)
{
	if (us < 0)
		buf_putc(b, '-');
	us = llabs(us);
	buf_puts(b, "PT");
	buf_u64(b, (uint64_t)(us / 1000000));
	put_fraction(b, us % 1000000);
	buf_putc(b, 'S');
}

static bool
put_duration(struct buf *b, const struct wire *w)
{
	int64_t us;

	if (!wire_microseconds(w, &us))
		return false;
	buf_putc(b, '"');
	wire_duration(b, us);
	buf_putc(b, '"');
	return true;
}

static bool
put_integer(struct buf *b, const struct wire *w)
{
	int64_t n;

	if (!wire_integer(w, &n))
		return false;
	if (n < 0)
		buf_putc(b, '-');
	buf_u64(b, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
	return true;
}

static void
put_enum(struct buf *b, const struct wire *w)
{
	buf_putc(b, '"');
	for (int32_t i = 0; i < w->len; i++) {
		char c = (char)w->data[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		buf_putc(b, c == '-' ? '_' : c);
	}
	buf_putc(b, '"');
}

static bool
put_uuid(struct buf *b, const struct wire *w)
{
	struct uuid id;
	char text[UUID_TEXT + 2];

	if (w->len != 16)
		return false;
	memcpy(&id, w->data, 16);
	text[0] = '"';
	uuid_format(&id, text + 1);
	text[37] = '"';
	buf_put(b, text, 38);
	return true;
}

/* jsonb comes with its version before the text. */
static void
put_json(struct buf *b, const struct wire *w)
{
	bool version = w->len > 0 && w->data[0] == 1;

	buf_put(b, w->data + version, (size_t)w->len - version);
}

bool
wire_json(struct buf *b, enum graph_scalar scalar, const struct wire *w)
{
	switch (scalar) {
	case GRAPH_STRING:
		json_write_string(b, (const char *)w->data, (size_t)w->len);
		break;
	case GRAPH_ENUM:
		put_enum(b, w);
		break;
	case GRAPH_ID:
	case GRAPH_UUID:
		return put_uuid(b, w);
	case GRAPH_INT:
		return put_integer(b, w);
	case GRAPH_FLOAT:
		if (!wire_numeric(b, w))
			buf_puts(b, "null");
		break;
	case GRAPH_DURATION:
		return put_duration(b, w);
	case GRAPH_BOOLEAN:
		if (w->len != 1)
			return false;
		buf_puts(b, *w->data != 0 ? "true" : "false");
		break;
	case GRAPH_DATETIME:
		return put_time(b, w);
	case GRAPH_JSON:
		put_json(b, w);
		break;
	}
	return true;
}
