/* config_value.h - the values that keys of config.c take, as text and as
 * numbers. Pure; config.c's alone.
 */
#ifndef OPEN_WEB_CONFIG_VALUE_H
#define OPEN_WEB_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum key_type {
	KEY_STRING,
	KEY_COUNT,
	KEY_BYTES,
	KEY_DURATION,
	KEY_RATE,   /* "30/1m": count and milliseconds; 0: off */
	KEY_CHOICE, /* an index into choices */
	KEY_LISTEN
};

#define KIB (INT64_C(1) << 10)
#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define MS  INT64_C(1000000)
#define S   (1000 * MS)

struct key {
	const char *name;
	enum key_type type;
	size_t offset;
	const char *fallback;
	int64_t min, max; /* strings: length */
	const char *choices;
};
/* False: the text is no such value; its range is not looked at. */
bool number_parse(const struct key *, const char *text, int64_t *n);
bool count_parse(const char *text, int64_t *n);
void number_format(const struct key *, int64_t n, struct buf *);
/* Of the value of a rate. */
int64_t rate_count(int64_t n);
int64_t rate_period_ms(int64_t n);
/* What a key's value must be, for messages. */
void expectation(const struct key *, char *text, size_t size);

#endif
