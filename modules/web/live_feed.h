/* live_feed.h - the event loop's end of live events; see live_feed.c.
 *
 * Process:  live_feed_create in the parent, the others in a worker.
 */
#ifndef OPEN_WEB_LIVE_FEED_H
#define OPEN_WEB_LIVE_FEED_H

#include "exec/exec.h"

int live_feed_create(void); /* -1: no shared memory */
void live_feed_start(void); /* before database_start, after exec_attach */
/* The journal has written these: other servers that listen are told. */
void live_tell(const struct journal_entry *entries, size_t n);

#endif
