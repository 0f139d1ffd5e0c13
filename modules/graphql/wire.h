/* wire.h - values as PostgreSQL sends them in binary, and the JSON they become.
 *
 * Source:   PostgreSQL's documentation tells of the formats by their functions
 *           (array_recv, record_recv, numeric_recv, timestamptz_recv).
 * Trust:    lengths are checked: a value that isn't what was expected is
 *           refused, never read beyond.
 * Process:  pure.
 */
#ifndef OPEN_GRAPHQL_WIRE_H
#define OPEN_GRAPHQL_WIRE_H

#include "base/buf.h"
#include "web/graph.h"

struct wire {
	const uint8_t *data;
	int32_t len; /* -1: null */
};

/* The next items of an array or a record. */
struct wire_list {
	const uint8_t *at, *end;
	uint32_t left;
};

/* False: it isn't one. A null array has no items. */
bool wire_array(const struct wire *, struct wire_list *);
bool wire_record(const struct wire *, struct wire_list *);
/* left > 0. */
bool wire_array_next(struct wire_list *, struct wire *);
bool wire_record_next(struct wire_list *, struct wire *);

/* Of 2, 4 or 8 bytes. */
bool wire_integer(const struct wire *, int64_t *);
/* Microseconds since 1970. */
bool wire_time(const struct wire *, int64_t *us);
/* A numeric's decimal digits, as PostgreSQL prints them. */
bool wire_numeric(struct buf *, const struct wire *);
/* A numeric of milliseconds. */
bool wire_microseconds(const struct wire *, int64_t *us);

/* The JSON of a value that is not null; false: it isn't of that type. */
bool wire_json(struct buf *, enum graph_scalar, const struct wire *);
/* "PT1.5S" */
void wire_duration(struct buf *, int64_t us);

#endif
