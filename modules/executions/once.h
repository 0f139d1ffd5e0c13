/* once.h - Idempotency-Key: a request that is sent again with the same key
 * makes nothing new for 24 hours, but is answered with the execution that it
 * has made.
 *
 * Scope:    the user; others, of the same organization too, have their own.
 * Same:     by the hash of what the request asks for.
 */
#ifndef OPEN_EXECUTIONS_ONCE_H
#define OPEN_EXECUTIONS_ONCE_H

#include "base/hash.h"
#include "web/flow.h"

#define IDEMPOTENCY_KEY_MAX 255

struct once {
	const char *key; /* NULL: the request has none */
	uint8_t hash[SHA256_SIZE];
};

/* Reads the header. False: it has answered. */
bool once_read(struct flow *, struct once *);
/* The hash of its parts, in order; NULL is another one than "". */
bool once_hash(struct flow *, struct once *, const char *const *parts,
    size_t count); /* false: it has answered */
/* The answer to another request with the same key: 422. */
enum flow_next once_reused(struct flow *);
/* The answer that follows is the one of an earlier request. */
void once_replayed(struct flow *);

#endif
