/* persisted.h - operations by their SHA-256, as Apollo's clients send them
 * (automatic persisted queries): a request with the hash alone is answered from
 * what was asked with text and hash before, from what the organization has
 * registered, or with PERSISTED_QUERY_NOT_FOUND, after which the client sends both.
 *
 * Kept:     by each worker for itself, KEPT_BYTES at most; what was not used for
 *           longest is forgotten, and asked for again.
 * Lifetime: freed with the module.
 */
#ifndef OPEN_GRAPHQL_PERSISTED_H
#define OPEN_GRAPHQL_PERSISTED_H

#include "graphql/execute.h"

/* Fills in the text where only its hash was sent, or, not knowing it, leaves the
 * hash in sha256 for registered.h; remembers a text that came with its hash.
 * FLOW_NEXT, or FLOW_DONE after answering. */
enum flow_next persisted_find(struct flow *, struct execution *);
void persisted_free(void);

#endif
