/* binary.h - parameters in PostgreSQL's binary format: arrays and composites.
 * Pure.
 *
 * Writing:  sticky through the buf. Lengths are filled in when what they count
 *           ends, so begin and end nest like brackets.
 */
#ifndef OPEN_WEB_BINARY_H
#define OPEN_WEB_BINARY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/uuid.h"

enum binary_oid {
	OID_CHAR = 18,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_CHAR_ARRAY = 1002,
	OID_INT2_ARRAY = 1005,
	OID_INT4_ARRAY = 1007,
	OID_TEXT_ARRAY = 1009,
	OID_INT8_ARRAY = 1016,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950
};

/* The header of an array of count elements, which follow. */
void binary_array(struct buf *, uint32_t oid, uint32_t count);

/* Values with their length before them: elements and, after binary_field,
 * fields. */
void binary_null(struct buf *);
void binary_bytes(struct buf *, const void *data, size_t len);
void binary_char(struct buf *, char);
void binary_int2(struct buf *, int16_t);
void binary_int4(struct buf *, int32_t);
void binary_int8(struct buf *, int64_t);
void binary_uuid(struct buf *, const struct uuid *);
void binary_time(struct buf *, int64_t real_us); /* 0: null */
/* NULL: null. */
void binary_text(struct buf *, const char *text, size_t len);

/* A value whose length is not known yet: returns its place for end. */
size_t binary_begin(struct buf *);
void binary_end(struct buf *, size_t place);

/* A composite (inside begin and end): the number of its fields, then for each
 * its type and a value. */
void binary_composite(struct buf *, uint32_t fields);
void binary_field(struct buf *, uint32_t oid);

#endif
